-- Which payouts did this partner get, or was left out of? Grain: one row per payout (payout_id), newest first.
-- Reads: marts.fct_payout_items, marts.fct_payout_batches.
select
    items.payout_id,
    items.batch_id,
    batches.pay_date,
    batches.state as batch_state,
    items.amount_minor,
    items.currency_code,
    items.rail,
    items.state,
    items.left_out_reason,
    items.settled_date
from marts.fct_payout_items as items
left join marts.fct_payout_batches as batches
    on items.batch_id = batches.batch_id
where items.partner_id = $partner_id
order by batches.pay_date desc nulls last, items.payout_id
limit $limit
