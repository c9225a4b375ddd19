-- Partners that may be chosen on the local demo's sign-in page. Reads marts.dim_partners.
-- Grain: one row per partner (partner_id) whose status is not terminated.
select
    partner_id,
    name,
    "group",
    status
from marts.dim_partners
where status <> 'terminated'
order by partner_id
limit $most
