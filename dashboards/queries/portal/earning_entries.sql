-- What was posted for a line, and which payout holds it? Grain: one row per journal entry (entry_id), oldest first.
-- Reads marts.fct_commission_entries, marts.fct_entry_claims.
with

claims as (

    select
        entry_id,
        max(payout_id) as payout_id
    from marts.fct_entry_claims
    group by entry_id

)

select
    entries.entry_id,
    entries.entry_kind,
    entries.effective_date,
    entries.available_date,
    entries.posting_period,
    entries.recorded_at,
    entries.payout_amount_minor,
    entries.payout_currency_code,
    entries.explanation,
    claims.payout_id
from marts.fct_commission_entries as entries
left join claims
    on entries.entry_id = claims.entry_id
where
    entries.partner_id = $partner_id
    and entries.commission_id = $commission_id
order by entries.ordinal, entries.segment, entries.entry_id
