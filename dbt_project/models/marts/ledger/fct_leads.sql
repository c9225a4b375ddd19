-- Grain: one row per lead (lead_id): an account, or a person without one (F4).
select
    lead_id,
    email_masked,
    company_domain,
    customer_id,
    stage,
    valid_at,
    verdict,
    rule,
    owner,
    first_payment_at,
    first_seen_at,
    last_moved_at
from {{ ref('int_leads__leads') }}
