-- In which currencies are partners paid? Grain: one row per currency. Reads: marts.dim_partners.
select distinct payout_currency_code as currency_code
from marts.dim_partners
order by currency_code
