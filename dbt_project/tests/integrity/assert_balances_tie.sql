-- A failing row: a partner would be shown a balance that its parts do not add up to (I3), or money
-- taken back or paid out with the wrong sign.
{{ config(tags=['payouts']) }}

select partner_id, payout_currency_code
from {{ ref('fct_partner_balances') }}
where
    earned_amount_minor + reversed_amount_minor + paid_amount_minor <> balance_amount_minor
    or reversed_amount_minor > 0
    or paid_amount_minor > 0
    or on_hold_amount_minor + available_amount_minor + in_batch_amount_minor <> balance_amount_minor
