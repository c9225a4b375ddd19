-- Which versions of the plans are, were or will be in force?
-- Grain: one row per plan version (plan_id, plan_version). Reads: marts.dim_terms.
select
    plan_id,
    plan_version,
    min(valid_from_date) as valid_from_date,
    max(valid_to_date) as valid_to_date,
    string_agg(component_id, ', ' order by component_id) as components
from marts.dim_terms
group by plan_id, plan_version
order by plan_id, plan_version desc
