-- Grain: one row per journal entry that an exported batch has paid (entry_id).
select
    entry_id,
    batch_id,
    payout_id
from {{ ref('int_payouts__claims') }}
where is_exported
