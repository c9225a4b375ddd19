-- Grain: one row per case of leads or claims that are, were or may be the same (duplicate_id) (F3, L3).
select
    duplicate_id,
    kind,
    lead_id,
    other_lead_id,
    partner_id,
    other_partner_id,
    evidence,
    found_at,
    owner
from {{ ref('int_leads__duplicates') }}
