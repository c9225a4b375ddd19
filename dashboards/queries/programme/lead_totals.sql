-- What does a lead come to, per currency of the amounts?
-- Grain: one row per (partner_id, currency_code). Reads: marts.fct_commission_lines,
-- marts.dim_lead_aliases.
select
    partner_id,
    currency_code,
    count(*) as lines,
    sum(amount_minor) filter (where amount_minor > 0) as earned_amount_minor,
    sum(amount_minor) filter (where amount_minor < 0) as taken_back_amount_minor,
    sum(amount_minor) as amount_minor
from marts.fct_commission_lines
where
    lead_id = $lead_id
    or lead_id in (select alias_lead_id from marts.dim_lead_aliases where lead_id = $lead_id)
group by partner_id, currency_code
order by partner_id, currency_code
