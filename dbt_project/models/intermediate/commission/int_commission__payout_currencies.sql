-- Grain: one row per partner (partner_id) with the currency the partner is paid in; the programme's
-- reporting currency where the partner names none.
select
    partners.partner_id,
    coalesce(partners.payout_currency_code, run.reporting_currency_code) as payout_currency_code
from {{ ref('int_sources__partners') }} as partners
cross join {{ ref('stg_program__run') }} as run
