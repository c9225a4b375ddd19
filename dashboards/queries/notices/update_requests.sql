-- Which requests for an update wait for a partner, and how often was it reminded (L5)?
-- Grain: one row per request. Reads: marts.fct_lead_update_requests, marts.fct_leads.
select
    requests.request_id,
    requests.lead_id,
    requests.asked_at,
    requests.due_at,
    requests.state,
    requests.reminders_due as reminders,
    coalesce(leads.email_masked, leads.company_domain, 'a lead without an address') as customer
from marts.fct_lead_update_requests as requests
left join marts.fct_leads as leads on requests.lead_id = leads.lead_id
where requests.asked_of = 'partner' and requests.state in ('open', 'overdue')
order by requests.asked_at, requests.request_id
