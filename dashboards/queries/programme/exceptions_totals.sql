-- How many exceptions are there of each kind, and how much money do they concern?
-- Grain: one row per (kind, severity, currency_code). Reads: marts.fct_exceptions.
-- The filters are those of exceptions.sql.
select
    kind,
    severity,
    currency_code,
    count(*) as exceptions,
    sum(amount_minor) as amount_minor,
    string_agg(distinct owner, ', ' order by owner) as owners
from marts.fct_exceptions
where
    ($kind = '' or kind = $kind)
    and ($severity = '' or severity = $severity)
    and ($owner = '' or owner = $owner)
group by kind, severity, currency_code
order by case severity when 'error' then 0 when 'warning' then 1 else 2 end, kind, currency_code
