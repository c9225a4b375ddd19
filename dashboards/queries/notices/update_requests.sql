-- Which requests for an update wait for a partner, and how often was it reminded (L5)?
-- Grain: one row per request. Reads: marts.fct_lead_update_requests.
select
    request_id,
    lead_id,
    asked_at,
    due_at,
    state,
    reminders_due as reminders
from marts.fct_lead_update_requests
where asked_of = 'partner' and state in ('open', 'overdue')
order by asked_at, request_id
