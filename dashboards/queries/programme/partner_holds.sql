-- What of this partner is not payable for now, and why? Grain: one row per reason and currency.
-- Reads: exports.exp_payout_candidates.
select
    hold_reason,
    payout_currency_code as currency_code,
    count(*) as entries,
    sum(payout_amount_minor) as amount_minor
from exports.exp_payout_candidates
where
    partner_id = $partner_id
    and is_held
group by hold_reason, payout_currency_code
order by hold_reason, currency_code
