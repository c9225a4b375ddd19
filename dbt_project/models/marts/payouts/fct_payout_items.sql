-- Grain: one row per partner in a batch, or left out of it with the reason (payout_id) (P2).
select
    payout_id,
    batch_id,
    partner_id,
    currency_code,
    rail,
    amount_minor,
    state,
    left_out_reason,
    expected_pay_date,
    settled_date,
    reason_code,
    carried_amount_minor
from {{ ref('int_payouts__items') }}
