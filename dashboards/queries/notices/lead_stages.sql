-- Which stages did leads reach for the first time since $since?
-- Grain: one row per lead and stage. Reads: marts.fct_lead_stages.
select
    lead_id,
    stage,
    min(reached_at) as reached_at
from marts.fct_lead_stages
where is_first and reached_at >= $since
group by lead_id, stage
order by 3, 1, 2
