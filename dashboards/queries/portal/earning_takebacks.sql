-- What took back from a line, or gave back to it? Grain: one row per commission_id whose entries reverse the line's.
-- Reads marts.fct_commission_entries.
with

entries as (

    select *
    from marts.fct_commission_entries
    where partner_id = $partner_id

)

select
    takebacks.commission_id,
    takebacks.entry_kind as kind,
    nullif(takebacks.cause_type, '') as cause_type,
    takebacks.source_type,
    max(takebacks.effective_date) as effective_date,
    cast(sum(takebacks.payout_amount_minor) as bigint) as payout_amount_minor,
    takebacks.payout_currency_code
from entries as takebacks
inner join entries as reversed_entries
    on takebacks.reverses_entry_id = reversed_entries.entry_id
where reversed_entries.commission_id = $commission_id
group by
    takebacks.commission_id, takebacks.entry_kind, takebacks.cause_type, takebacks.source_type,
    takebacks.payout_currency_code
order by effective_date, takebacks.commission_id
