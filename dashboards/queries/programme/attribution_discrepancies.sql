-- Whose credit do a pin or a ruling keep against today's facts? One page.
-- Grain: one row per (lead_id, scope_type, scope_id, partner_id).
-- Reads: marts.fct_attribution_discrepancies.
select *
from marts.fct_attribution_discrepancies
where $partner = '' or partner_id = $partner
order by decided_at desc nulls last, lead_id, scope_type, scope_id, partner_id
limit $limit offset $offset
