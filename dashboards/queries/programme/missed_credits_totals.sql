-- How much paid money is that, counted once per customer and currency, whoever it points to?
-- Grain: one row per currency (currency_code). Reads: marts.fct_missed_credits.
with

customers as (

    select
        customer_id,
        currency_code,
        any_value(amount_minor) as amount_minor,
        any_value(paid_lines) as paid_lines,
        count(*) as rows_shown
    from marts.fct_missed_credits
    where
        ($partner = '' or partner_id = $partner)
        and ($owner = '' or owner = $owner)
    group by customer_id, currency_code

)

select
    currency_code,
    count(*) as customers,
    sum(paid_lines) as paid_lines,
    sum(amount_minor) as amount_minor,
    sum(rows_shown) as rows_shown
from customers
group by currency_code
order by currency_code
