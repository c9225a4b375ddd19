-- Which groups of partners are there? Grain: one row per group. Reads: marts.dim_partners.
select
    "group" as group_name,
    bool_or(is_pilot) as has_pilot
from marts.dim_partners
where "group" is not null
group by "group"
order by "group"
