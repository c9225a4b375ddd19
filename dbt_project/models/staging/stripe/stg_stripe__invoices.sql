-- Grain: one row per landed version of a Stripe invoice (source, id, arrival, row_number).
-- Renames and casts only; shapes before and after API version 2025-03-31 are both read.
with

received as (

    select * from {{ source('stripe', 'stripe__invoices') }}

)

select
    _source as source,
    _arrival as arrival,
    _row as row_number,
    object_id as invoice_id,
    coalesce(
        {{ json_text('payload', 'customer.id') }}, {{ json_text('payload', 'customer') }}
    ) as customer_id,
    {{ json_text('payload', 'status') }} as invoice_status,
    upper({{ json_text('payload', 'currency') }}) as currency_code,
    {{ epoch_utc(
        'coalesce(' ~ json_text('payload', 'status_transitions.finalized_at')
        ~ ', ' ~ json_text('payload', 'created') ~ ')'
    ) }} as issued_at,
    coalesce(
        {{ json_text('payload', 'parent.subscription_details.subscription') }},
        {{ json_text('payload', 'subscription.id') }},
        {{ json_text('payload', 'subscription') }}
    ) as subscription_id,
    {{ epoch_utc(json_text('payload', 'status_transitions.paid_at')) }} as paid_at,
    {{ stripe_minor(json_text('payload', 'total'), json_text('payload', 'currency')) }} as total_amount_minor,
    -- Balances are negative while the customer has credit; what the credit covered is no payment.
    {{ stripe_minor(
        'greatest(least(coalesce(cast(' ~ json_text('payload', 'ending_balance') ~ ' as bigint), 0), 0)'
        ~ ' - least(coalesce(cast(' ~ json_text('payload', 'starting_balance') ~ ' as bigint), 0), 0), 0)',
        json_text('payload', 'currency')
    ) }} as credit_applied_amount_minor,
    {{ json_text('payload', 'number') }} as external_number,
    {{ json_id('payload', 'charge') }} as charge_id,
    {{ json_id('payload', 'payment_intent') }} as payment_intent_id,
    coalesce({{ json_text('payload', 'lines.has_more') }} = 'true', false) as has_more_lines
from received
