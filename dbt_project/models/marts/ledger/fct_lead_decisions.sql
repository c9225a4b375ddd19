-- Grain: one row per decision that people took on a lead (decision_key): approvals, extensions and refusals of
-- registrations, and rulings (L3, A6).
select
    decision_key,
    lead_id,
    kind,
    subject_key,
    decision,
    partner_id,
    decided_at,
    decided_by,
    expires_at,
    reason,
    evidence
from {{ ref('int_leads__decisions') }}
