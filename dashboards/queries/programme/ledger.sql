-- What was earned and taken back, newest first? One page of it.
-- Grain: one row per commission (commission_id). Reads: marts.fct_commission_lines, always for one
-- partner or for 31 days at most. The filters are those of ledger_totals.sql.
select *
from marts.fct_commission_lines
where
    effective_date between $start and $end
    and ($partner = '' or partner_id = $partner)
    and ($customer = '' or customer_id = $customer)
    and ($kind = '' or kind = $kind)
    and ($plan = '' or plan_id = $plan)
    and ($status = '' or status = $status)
    and ($currency = '' or currency_code = $currency)
    and ($payout_currency = '' or payout_currency_code = $payout_currency)
order by effective_date desc, commission_id
limit $limit offset $offset
