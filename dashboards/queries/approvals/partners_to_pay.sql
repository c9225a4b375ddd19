-- Whom might we have to pay? Grain: one row per partner that has not ended. Reads: marts.dim_partners.
select partner_id, name, status
from marts.dim_partners
where status is distinct from 'terminated'
order by name, partner_id
