-- What was earned and taken back on a lead, under each id it ever had?
-- Grain: one row per commission (commission_id). Reads: marts.fct_commission_lines,
-- marts.dim_lead_aliases.
select *
from marts.fct_commission_lines
where
    lead_id = $lead_id
    or lead_id in (select alias_lead_id from marts.dim_lead_aliases where lead_id = $lead_id)
order by effective_date desc, commission_id
