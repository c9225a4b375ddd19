-- What do we owe partners, by month of posting and how far it has come?
-- Grain: one row per (posting_month, payout_currency_code). Reads: marts.fct_commission_liability.
-- owed_amount_minor is everything but what was paid.
select
    posting_month,
    payout_currency_code,
    coalesce(sum(amount_minor) filter (where liability_state = 'on_hold'), 0) as on_hold_amount_minor,
    coalesce(sum(amount_minor) filter (where liability_state = 'held'), 0) as held_amount_minor,
    coalesce(sum(amount_minor) filter (where liability_state = 'available'), 0) as available_amount_minor,
    coalesce(sum(amount_minor) filter (where liability_state = 'in_batch'), 0) as in_batch_amount_minor,
    coalesce(sum(amount_minor) filter (where liability_state = 'paid'), 0) as paid_amount_minor,
    coalesce(sum(amount_minor) filter (where liability_state <> 'paid'), 0) as owed_amount_minor,
    sum(entries) as entries
from marts.fct_commission_liability
where $currency = '' or payout_currency_code = $currency
group by posting_month, payout_currency_code
order by payout_currency_code, posting_month
