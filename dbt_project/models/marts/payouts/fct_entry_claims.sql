-- Grain: one row per journal entry and live or exported batch that claims it (entry_id, batch_id), those that this
-- night proposed included. A batch may claim a part of a negative entry (P3).
select
    entry_id,
    batch_id,
    payout_id,
    claimed_amount_minor,
    is_exported
from {{ ref('int_payouts__claims') }}
