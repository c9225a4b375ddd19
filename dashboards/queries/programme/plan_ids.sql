-- Which plans can be chosen? Grain: one row per plan (plan_id). Reads: marts.dim_terms.
select distinct plan_id from marts.dim_terms order by plan_id
