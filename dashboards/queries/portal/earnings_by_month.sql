-- What was earned, less what was taken back, by month and by how far it has come?
-- Grain: one row per (month, payout_currency_code, status) of the days from $start on.
-- Reads marts.fct_commission_lines.
select
    strftime(effective_date, '%Y-%m') as month,
    payout_currency_code,
    status,
    cast(sum(payout_amount_minor) as bigint) as amount_minor
from marts.fct_commission_lines
where
    partner_id = $partner_id
    and effective_date >= $start
    and effective_date <= $end
group by month, payout_currency_code, status
order by month, payout_currency_code, status
