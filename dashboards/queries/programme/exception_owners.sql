-- Who has how many exceptions of what severity to look at? Grain: one row per (severity, owner).
-- Reads: marts.fct_exceptions.
select
    severity,
    owner,
    count(*) as exceptions,
    min(cast(opened_at as date)) as oldest_date
from marts.fct_exceptions
group by severity, owner
order by
    case severity when 'error' then 1 when 'warning' then 2 else 3 end,
    exceptions desc,
    owner
