-- Grain: one row per submission (submission_key), with its one verdict, the rule and the rival (L1), and how
-- long it protects its partner (L3).
select
    submission_key,
    lead_id,
    partner_id,
    record_type as submission_type,
    submitted_at,
    verdict,
    rule,
    rival_key,
    registration_status,
    expires_at,
    protected_until_at
from {{ ref('int_leads__verdicts') }}
