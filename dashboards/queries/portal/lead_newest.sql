-- When was something earned on a lead last, by whomever? From then on the window for questions runs (decision 0054).
-- Grain: one row; the day alone, which no page shows. Asked for the partner's own leads alone.
-- Reads marts.fct_commission_lines.
select max(effective_date) as newest
from marts.fct_commission_lines
where lead_id = $lead_id
