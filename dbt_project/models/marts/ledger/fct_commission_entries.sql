-- Grain: one row per journal entry (entry_id), signed from the partner's view (J1). The append-only
-- truth: rows are never changed, corrections are further rows. lead_id is the id it was posted under,
-- present_lead_id the lead's id now.
select
    entries.entry_id,
    commission_id,
    entry_kind,
    partner_id,
    customer_id,
    entries.lead_id,
    entry_leads.lead_id as present_lead_id,
    plan_id,
    plan_version,
    component_id,
    source_type,
    source_id,
    cause_type,
    cause_id,
    amount_minor,
    currency_code,
    payout_amount_minor,
    payout_currency_code,
    effective_date,
    available_date,
    posting_period,
    recorded_at,
    segment,
    ordinal,
    reverses_entry_id,
    corrects_entry_id,
    explanation
from {{ ref('int_journal__entries') }} as entries
left join {{ ref('int_journal__entry_leads') }} as entry_leads
    on entries.entry_id = entry_leads.entry_id
