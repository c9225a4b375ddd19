-- How much paid money carries a partner's trace and earns nobody anything? Each customer counts once.
-- Grain: one row per currency. Reads: marts.fct_missed_credits.
with

customers as (

    select distinct customer_id, currency_code, amount_minor
    from marts.fct_missed_credits

)

select
    currency_code,
    sum(amount_minor) as amount_minor
from customers
group by currency_code
order by currency_code
