-- Which paid invoice lines earn nothing, and why, newest first? One page of them.
-- Grain: one row per invoice line (invoice_line_id). Reads: marts.fct_unpaid_lines.
select *
from marts.fct_unpaid_lines
where
    ($reason = '' or reason = $reason)
    and ($currency = '' or currency_code = $currency)
    and ($customer = '' or customer_id = $customer)
order by first_paid_date desc nulls last, invoice_line_id
limit $limit offset $offset
