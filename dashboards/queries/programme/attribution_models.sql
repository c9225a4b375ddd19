-- How much would change hands under each compared model?
-- Grain: one row per (model, currency_code). Reads: marts.fct_attribution_comparison.
-- What partners would gain; what others would lose is not the same, since each has a plan of its own.
select
    model,
    currency_code,
    count(*) filter (where moved_amount_minor <> 0) as partners,
    coalesce(sum(moved_amount_minor) filter (where moved_amount_minor > 0), 0) as gained_amount_minor,
    coalesce(sum(moved_amount_minor) filter (where moved_amount_minor < 0), 0) as lost_amount_minor,
    sum(moved_amount_minor) as moved_amount_minor
from marts.fct_attribution_comparison
group by model, currency_code
order by model, currency_code
