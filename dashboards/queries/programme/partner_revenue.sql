-- What did the customers of each partner pay in the period? Grain: one row per (partner_id, currency_code).
-- Reads: marts.fct_partner_revenue_daily. Metric: revenue.
select
    partner_id,
    currency_code,
    sum(revenue_amount_minor) as revenue
from marts.fct_partner_revenue_daily
where activity_date between $start and $end
group by partner_id, currency_code
