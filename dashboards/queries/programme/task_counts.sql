-- What waits for somebody in this night's tables? Grain: one row.
-- Reads: marts.fct_lead_update_requests, marts.fct_missed_credits.
select
    (
        select count(*) from marts.fct_lead_update_requests
        where state = 'overdue'
    ) as overdue_requests,
    (
        select count(distinct customer_id) from marts.fct_missed_credits
    ) as unmatched_customers
