-- Grain: one row per request for an update on a lead (request_id), asked by people or for a stale lead (L5).
select
    request_id,
    lead_id,
    subject_key,
    reason,
    asked_of,
    asked_at,
    due_at,
    answered_at,
    state,
    reminders_due,
    last_reminder_at,
    owner
from {{ ref('int_leads__update_requests') }}
