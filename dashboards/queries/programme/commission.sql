-- What does a commission stand for? Grain: one row (commission_id), or none; from its first entry
-- where the facts do not give the line any more.
-- Reads: marts.fct_commission_lines, marts.fct_commission_entries.
select
    commission_id,
    lead_id,
    partner_id,
    0 as rank
from marts.fct_commission_lines
where commission_id = $commission_id

union all

select
    commission_id,
    coalesce(present_lead_id, lead_id),
    partner_id,
    1
from marts.fct_commission_entries
where commission_id = $commission_id

order by rank
limit 1
