-- Grain: one row per journal entry that is not payable for now (entry_id), with the reason (P1, R2).
select
    entry_id,
    hold_reason
from {{ ref('int_payouts__holds') }}
