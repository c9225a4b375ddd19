-- Grain: one row per payout batch (batch_id), in whatever state (P5).
select
    batch_id,
    version,
    legal_entity,
    pay_date,
    cutoff_date,
    currency_code,
    rail,
    state,
    items,
    total_amount_minor,
    content_hash,
    proposed_at
from {{ ref('int_payouts__batches') }}
