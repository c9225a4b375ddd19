-- Grain: one row per journal entry that a live or exported batch held when this night began to propose
-- (entry_id). Batches and items themselves are in fct_payout_batches and fct_payout_items.
select
    entry_id,
    batch_id,
    payout_id,
    is_exported
from {{ ref('int_payouts__claims') }}
