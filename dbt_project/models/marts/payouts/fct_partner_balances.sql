-- Grain: one row per (partner_id, payout_currency_code) with entries, signed from the partner's view.
-- earned + reversed + paid = balance = on_hold + available + in_batch.
with

entries as (

    select * from {{ ref('int_payouts__entry_states') }}

)

select
    partner_id,
    payout_currency_code,
    cast(sum(case when is_earned_side then payout_amount_minor else 0 end) as bigint)
        as earned_amount_minor,
    cast(sum(case
        when not is_earned_side and entry_kind not in ('payout', 'payout_return') then payout_amount_minor
        else 0
    end) as bigint) as reversed_amount_minor,
    cast(sum(case
        when entry_state in ('on_hold', 'held') then payout_amount_minor
        else 0
    end) as bigint) as on_hold_amount_minor,
    cast(sum(case when entry_state = 'available' then payout_amount_minor else 0 end) as bigint)
        as available_amount_minor,
    cast(sum(case when entry_state = 'in_batch' then payout_amount_minor else 0 end) as bigint)
        as in_batch_amount_minor,
    cast(sum(case
        when entry_kind in ('payout', 'payout_return') then payout_amount_minor
        else 0
    end) as bigint) as paid_amount_minor,
    cast(sum(payout_amount_minor) as bigint) as balance_amount_minor
from entries
group by partner_id, payout_currency_code
