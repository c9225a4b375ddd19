-- What needs a person, the most pressing first? One page.
-- Grain: one row per exception (exception_id). Reads: marts.fct_exceptions.
-- The filters are those of exceptions_totals.sql.
select *
from marts.fct_exceptions
where
    ($kind = '' or kind = $kind)
    and ($severity = '' or severity = $severity)
    and ($owner = '' or owner = $owner)
order by
    case severity when 'error' then 0 when 'warning' then 1 else 2 end,
    opened_at desc nulls last,
    exception_id
limit $limit offset $offset
