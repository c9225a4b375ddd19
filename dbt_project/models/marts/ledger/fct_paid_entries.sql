-- Grain: one row per journal entry that exported batches have paid, wholly or in part (entry_id). batch_id and
-- payout_id are those of the last of them.
select
    entry_id,
    max_by(batch_id, pay_date) as batch_id,
    max_by(payout_id, pay_date) as payout_id,
    cast(sum(claimed_amount_minor) as bigint) as paid_amount_minor
from {{ ref('int_payouts__claims') }}
where is_exported
group by entry_id
