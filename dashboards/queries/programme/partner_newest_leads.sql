-- Which leads is this partner credited for, newest first? Grain: one row per lead. leads: how many in all.
-- Reads: marts.fct_attributions; what else is known of them is in leads_by_id.sql.
select
    lead_id,
    credit_ppm,
    decided_by,
    decided_at,
    count(*) over () as leads
from marts.fct_attributions
where
    partner_id = $partner_id
    and is_paying
    and credit_ppm > 0
order by decided_at desc, lead_id
limit $limit
