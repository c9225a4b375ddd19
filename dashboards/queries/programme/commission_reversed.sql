-- Which commissions does this one take back from? Grain: one row per commission (commission_id).
-- Reads: marts.fct_commission_entries, marts.fct_commission_lines.
select distinct lines.*
from marts.fct_commission_entries as reversals
inner join marts.fct_commission_entries as earned
    on reversals.reverses_entry_id = earned.entry_id
inner join marts.fct_commission_lines as lines
    on earned.commission_id = lines.commission_id
where reversals.commission_id = $commission_id
order by lines.effective_date, lines.commission_id
