-- Grain: one row per (partner_id, activity_date, currency_code) with revenue or commission; every column is additive.
-- Revenue is what customers paid on their lines, less discounts, without tax, all paid lines of credited customers
-- whatever earns on them, as revenue counts for bonuses (C7, C2); shared over the credited partners to the cent (M3).
-- currency_code is that of the invoice, for commission that in which it was earned (M1).
with

run as (

    select * from {{ ref('stg_program__run') }}

),

lines as (

    select
        paid_lines.invoice_line_id,
        paid_lines.invoice_id,
        paid_lines.currency_code,
        paid_lines.net_amount_minor,
        coalesce(paid_lines.invoice_id = anchors.anchor_invoice_id, false) as is_first_invoice,
        credits.partner_id,
        credits.credit_ppm,
        credits.credits
    from {{ ref('int_billing__paid_lines') }} as paid_lines
    inner join {{ ref('int_attribution__customer_credits') }} as credits
        on paid_lines.customer_id = credits.customer_id
    left join {{ ref('int_billing__anchors') }} as anchors
        on paid_lines.customer_id = anchors.customer_id
    where paid_lines.invoice_status is distinct from 'void'

),

payments as (

    select
        payments.invoice_id,
        payments.paid_after,
        payments.paid_before,
        payments.total_share,
        {{ local_date('payments.paid_at') }} as paid_date
    from {{ ref('int_billing__payments') }} as payments
    cross join run

),

-- C2: a later payment is a further difference, on its own day.
paid_wholes as (

    select
        lines.*,
        payments.paid_date as activity_date,
        -- Most invoices are paid at once: wide division is many times slower than comparing.
        case
            when payments.paid_after = payments.total_share then lines.net_amount_minor
            else {{ round_ratio(
                wide('lines.net_amount_minor') ~ ' * payments.paid_after', wide('payments.total_share')
            ) }}
        end as after_amount_minor,
        case
            when payments.paid_before = 0 then 0
            else {{ round_ratio(
                wide('lines.net_amount_minor') ~ ' * payments.paid_before', wide('payments.total_share')
            ) }}
        end as before_amount_minor
    from lines
    inner join payments
        on lines.invoice_id = payments.invoice_id

),

returned_wholes as (

    select
        lines.*,
        {{ local_date('returned_lines.event_at') }} as activity_date,
        returned_lines.after_amount_minor,
        returned_lines.before_amount_minor
    from lines
    inner join {{ ref('int_adjustment__returned_lines') }} as returned_lines
        on lines.invoice_line_id = returned_lines.invoice_line_id
    cross join run

),

movements as (

    select
        partner_id,
        activity_date,
        currency_code,
        is_first_invoice,
        {{ split_share('after_amount_minor', 'credits', 'partner_id', 'credit_ppm') }}
        - {{ split_share('before_amount_minor', 'credits', 'partner_id', 'credit_ppm') }} as collected_amount_minor,
        cast(0 as bigint) as returned_amount_minor,
        cast(0 as bigint) as commission_amount_minor
    from paid_wholes

    union all

    select
        partner_id,
        activity_date,
        currency_code,
        is_first_invoice,
        0,
        {{ split_share('before_amount_minor', 'credits', 'partner_id', 'credit_ppm') }}
        - {{ split_share('after_amount_minor', 'credits', 'partner_id', 'credit_ppm') }},
        0
    from returned_wholes

    union all

    select partner_id, effective_date, currency_code, false, 0, 0, amount_minor
    from {{ ref('int_journal__entries') }}
    where entry_kind not in ('payout', 'payout_return')

)

select
    partner_id,
    activity_date,
    currency_code,
    cast(sum(collected_amount_minor) as bigint) as collected_amount_minor,
    cast(sum(case when is_first_invoice then collected_amount_minor else 0 end) as bigint)
        as first_invoice_amount_minor,
    cast(sum(returned_amount_minor) as bigint) as returned_amount_minor,
    cast(sum(collected_amount_minor + returned_amount_minor) as bigint) as revenue_amount_minor,
    cast(sum(commission_amount_minor) as bigint) as commission_amount_minor
from movements
group by partner_id, activity_date, currency_code
