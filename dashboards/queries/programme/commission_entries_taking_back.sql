-- What takes back from a commission? Grain: one row per commission (commission_id) that reverses an
-- entry of this one (R10). Reads: marts.fct_commission_entries, marts.fct_commission_lines.
select distinct lines.*
from marts.fct_commission_entries as earned
inner join marts.fct_commission_entries as reversals
    on earned.entry_id = reversals.reverses_entry_id
inner join marts.fct_commission_lines as lines
    on reversals.commission_id = lines.commission_id
where earned.commission_id = $commission_id
order by lines.effective_date, lines.commission_id
