-- Grain: one row per journal entry that a live or exported batch holds (entry_id), those that this night
-- proposed included.
select
    entry_id,
    batch_id,
    payout_id,
    is_exported
from {{ ref('int_payouts__claims') }}
