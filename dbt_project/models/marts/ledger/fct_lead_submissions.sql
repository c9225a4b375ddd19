-- Grain: one row per submission (submission_key), with its one verdict, the rule and the rival (L1).
select
    submission_key,
    lead_id,
    partner_id,
    submitted_at,
    verdict,
    rule,
    rival_key
from {{ ref('int_leads__verdicts') }}
