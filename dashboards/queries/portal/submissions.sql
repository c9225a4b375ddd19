-- What did the partner send in, and what became of it? Grain: one row per submission_key, newest first.
-- The record that it lost to is somebody else's and is not read. Empty $lead_id does not filter.
-- Reads marts.fct_lead_submissions.
select
    submission_key,
    lead_id,
    submission_type,
    submitted_at,
    verdict,
    registration_status,
    expires_at,
    protected_until_at
from marts.fct_lead_submissions
where
    partner_id = $partner_id
    and ($lead_id = '' or lead_id = $lead_id)
order by submitted_at desc, submission_key
