-- What can exceptions be filtered by? Grain: one row per (kind, owner). Reads: marts.fct_exceptions.
select distinct kind, owner from marts.fct_exceptions order by kind, owner
