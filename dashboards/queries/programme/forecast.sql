-- What is expected to be paid on which date?
-- Grain: one row per (pay_date, payout_currency_code). Reads: marts.fct_payout_forecast.
select *
from marts.fct_payout_forecast
where $currency = '' or payout_currency_code = $currency
order by pay_date, payout_currency_code
