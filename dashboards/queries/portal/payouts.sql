-- Which payouts were there, and which is next? Grain: one row per payout_id of a batch that was not given up,
-- newest pay date first. Reads marts.fct_payout_items, marts.fct_payout_batches.
select
    items.payout_id,
    items.currency_code,
    items.rail,
    items.amount_minor,
    items.state,
    items.left_out_reason,
    items.expected_pay_date,
    items.settled_date,
    items.reason_code,
    items.carried_amount_minor,
    batches.pay_date,
    batches.cutoff_date,
    batches.state as batch_state
from marts.fct_payout_items as items
inner join marts.fct_payout_batches as batches
    on items.batch_id = batches.batch_id
where
    items.partner_id = $partner_id
    and batches.state not in ('rejected', 'stale')
    and ($payout_id = '' or items.payout_id = $payout_id)
order by batches.pay_date desc, items.currency_code, items.payout_id
