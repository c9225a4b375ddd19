-- What is expected to be paid, and when? Grain: one row per pay date. Reads: marts.fct_payout_forecast.
select
    pay_date,
    amount_minor
from marts.fct_payout_forecast
where payout_currency_code = $currency
order by pay_date
