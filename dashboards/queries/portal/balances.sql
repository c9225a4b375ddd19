-- What was earned, taken back and paid, and what is still owed? Grain: one row per payout_currency_code.
-- Reads marts.fct_partner_balances.
select
    payout_currency_code,
    earned_amount_minor,
    reversed_amount_minor,
    on_hold_amount_minor,
    available_amount_minor,
    in_batch_amount_minor,
    -paid_amount_minor as paid_amount_minor,
    balance_amount_minor
from marts.fct_partner_balances
where partner_id = $partner_id
order by payout_currency_code
