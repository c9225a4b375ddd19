-- Grain: one row per earning on a line of a voided invoice: the correction that removes what is left
-- of it (R4). Effective with the last fact on the invoice, since a void carries no instant of its own.
with

earnings as (

    select earnings.*
    from {{ ref('int_commission__earnings') }} as earnings
    inner join {{ ref('int_billing__invoices') }} as invoices
        on
            earnings.invoice_id = invoices.invoice_id
            and invoices.invoice_status = 'void'
    where earnings.reason is null

),

taken as (

    select
        component_id, source_type, source_id, partner_id,
        cast(sum(amount_minor) as bigint) as amount_minor,
        cast(sum(payout_amount_minor) as bigint) as payout_amount_minor,
        max(effective_date) as effective_date
    from {{ ref('int_adjustment__line_takebacks') }}
    group by component_id, source_type, source_id, partner_id

),

parts as (

    select
        component_id, source_type, source_id, partner_id,
        cast(sum(payout_amount_minor) as bigint) as payout_amount_minor,
        max(effective_date) as effective_date
    from {{ ref('int_commission__earning_parts') }}
    group by component_id, source_type, source_id, partner_id

)

select
    'correction' as kind,
    earnings.component_id,
    earnings.source_type,
    earnings.source_id,
    earnings.partner_id,
    'invoice' as cause_type,
    earnings.invoice_id as cause_id,
    greatest(parts.effective_date, coalesce(taken.effective_date, parts.effective_date)) as effective_date,
    earnings.amount_minor as earned_amount_minor,
    coalesce(taken.amount_minor, 0) as taken_amount_minor,
    -(earnings.amount_minor + coalesce(taken.amount_minor, 0)) as amount_minor,
    -(parts.payout_amount_minor + coalesce(taken.payout_amount_minor, 0)) as payout_amount_minor
from earnings
inner join parts
    on
        earnings.component_id = parts.component_id
        and earnings.source_type = parts.source_type
        and earnings.source_id = parts.source_id
        and earnings.partner_id = parts.partner_id
left join taken
    on
        earnings.component_id = taken.component_id
        and earnings.source_type = taken.source_type
        and earnings.source_id = taken.source_id
        and earnings.partner_id = taken.partner_id
