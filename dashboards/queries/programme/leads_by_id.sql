-- Where do these leads stand? Grain: one row per lead (lead_id). Reads: marts.fct_leads.
-- $since: no lead of them became valid before it; the instant is compared faster than the ids.
select
    lead_id,
    company_domain,
    email_masked,
    stage,
    first_payment_at,
    last_moved_at
from marts.fct_leads
where
    valid_at >= $since
    and lead_id = any($ids)
