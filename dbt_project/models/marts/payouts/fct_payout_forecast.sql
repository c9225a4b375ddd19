-- Grain: one row per (pay_date, payout_currency_code): what is expected to be paid on that date from
-- entries that are posted, not held and not paid yet, before minimums and gates (B5).
with

open_entries as (

    select
        coalesce(pay_date, expected_pay_date) as pay_date,
        payout_currency_code,
        partner_id,
        payout_amount_minor
    from {{ ref('int_payouts__entry_states') }}
    where entry_state in ('on_hold', 'available', 'in_batch')

)

select
    pay_date,
    payout_currency_code,
    cast(sum(payout_amount_minor) as bigint) as amount_minor,
    count(distinct partner_id) as partners
from open_entries
where pay_date is not null
group by pay_date, payout_currency_code
