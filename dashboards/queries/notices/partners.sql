-- Who are the partners? Grain: one row per partner. Reads: marts.dim_partners.
select
    partner_id,
    name,
    is_pilot
from marts.dim_partners
order by partner_id
