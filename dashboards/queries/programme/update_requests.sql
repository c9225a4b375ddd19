-- Who owes an answer on which lead? Grain: one row per open request (request_id), the longest overdue first.
-- Reads: marts.fct_lead_update_requests, marts.fct_leads.
select
    requests.request_id,
    requests.lead_id,
    leads.company_domain,
    requests.reason,
    requests.asked_of,
    requests.owner,
    requests.asked_at,
    requests.due_at,
    requests.state,
    requests.reminders_due,
    count(*) over () as requests
from marts.fct_lead_update_requests as requests
left join marts.fct_leads as leads
    on requests.lead_id = leads.lead_id
where requests.state <> 'answered'
order by requests.state = 'overdue' desc, requests.due_at, requests.request_id
limit $limit offset $offset
