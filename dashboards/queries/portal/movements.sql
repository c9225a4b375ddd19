-- How did the balance come about: before this month, what moved in it, and now? The parts of a statement.
-- Grain: one row per (payout_currency_code, movement); movement opening is all months before $period.
-- Reads marts.fct_commission_entries.
with

entries as (

    select
        payout_currency_code,
        payout_amount_minor,
        case
            when posting_period < $period then 'opening'
            when entry_kind = 'earning' then 'earned'
            when entry_kind = 'bonus' then 'bonuses'
            when entry_kind = 'adjustment' then 'adjustments'
            when entry_kind = 'ruling' then 'rulings'
            when entry_kind in ('refund', 'chargeback', 'credit_note', 'churn', 'correction', 'reinstatement')
                then 'taken_back'
            when entry_kind = 'withholding' then 'withheld'
            when entry_kind = 'write_off' then 'written_off'
            when entry_kind = 'payout' then 'paid'
            when entry_kind = 'payout_return' then 'returned'
            else 'other'
        end as movement
    from marts.fct_commission_entries
    where partner_id = $partner_id

)

select
    payout_currency_code,
    movement,
    cast(sum(payout_amount_minor) as bigint) as amount_minor
from entries
group by payout_currency_code, movement
order by payout_currency_code, movement
