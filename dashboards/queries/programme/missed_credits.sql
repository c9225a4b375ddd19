-- Which paid money carries a partner's trace and earns nobody anything? One page, largest first.
-- Grain: one row per (customer_id, currency_code, partner_id). Reads: marts.fct_missed_credits.
select *
from marts.fct_missed_credits
where
    ($partner = '' or partner_id = $partner)
    and ($owner = '' or owner = $owner)
order by amount_minor desc, customer_id, currency_code, partner_id
limit $limit offset $offset
