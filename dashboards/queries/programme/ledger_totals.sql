-- What do all lines that match come to?
-- Grain: one row per pair of currencies (currency_code, payout_currency_code).
-- Reads: marts.fct_commission_lines, always for one partner or for 31 days at most.
-- The filters are those of ledger.sql.
select
    currency_code,
    payout_currency_code,
    count(*) as lines,
    coalesce(sum(amount_minor) filter (where amount_minor > 0), 0) as earned_amount_minor,
    coalesce(sum(amount_minor) filter (where amount_minor < 0), 0) as taken_back_amount_minor,
    sum(amount_minor) as amount_minor,
    sum(payout_amount_minor) as payout_amount_minor
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
group by currency_code, payout_currency_code
order by currency_code, payout_currency_code
