-- In which currencies is there anything to show, those with the most days of earnings first?
-- Grain: one row per currency. Reads: marts.fct_partner_daily.
select
    payout_currency_code as currency_code,
    count(*) filter (where earned_amount_minor <> 0) as earning_days
from marts.fct_partner_daily
where $partner_id = '' or partner_id = $partner_id
group by payout_currency_code
having bool_or(earned_amount_minor <> 0 or reversed_amount_minor <> 0 or paid_amount_minor <> 0)
order by earning_days desc, currency_code
