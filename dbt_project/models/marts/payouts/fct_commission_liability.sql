-- Grain: one row per (posting_month, liability_state, payout_currency_code): what is owed to partners,
-- by the month it was posted in and how far it has come (B5).
select
    posting_period as posting_month,
    entry_state as liability_state,
    payout_currency_code,
    cast(sum(payout_amount_minor) as bigint) as amount_minor,
    count(*) as entries
from {{ ref('int_payouts__entry_states') }}
group by posting_period, entry_state, payout_currency_code
