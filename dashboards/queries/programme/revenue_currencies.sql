-- In which currencies do customers pay? Grain: one row per currency. Reads: marts.fct_partner_revenue_daily.
select distinct currency_code
from marts.fct_partner_revenue_daily
where $partner_id = '' or partner_id = $partner_id
order by currency_code
