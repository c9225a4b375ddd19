-- What is owed to this partner, and how far has it come? Grain: one row per payout currency.
-- Reads: marts.fct_partner_balances.
select
    * exclude (partner_id, payout_currency_code),
    payout_currency_code as currency_code
from marts.fct_partner_balances
where partner_id = $partner_id
order by payout_currency_code
