-- How much paid money earns nothing, and why?
-- Grain: one row per (reason, currency_code). Reads: marts.fct_unpaid_lines.
select
    reason,
    currency_code,
    count(*) as lines,
    sum(amount_minor) as amount_minor
from marts.fct_unpaid_lines
where
    ($reason = '' or reason = $reason)
    and ($currency = '' or currency_code = $currency)
    and ($customer = '' or customer_id = $customer)
group by reason, currency_code
order by reason, currency_code
