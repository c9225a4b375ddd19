-- Grain: one row per (rate_date, currency_code): units per 1 EUR published for that day, the newest
-- version from the first-ranked source (F1, J6, M6). The euro itself is 1 on every day.
with

landed as (

    select * from {{ ref('int_received__fx_rates') }}

),

newest as (

    {{ newest_versions('landed', ['rate_date', 'currency_code']) }}

),

ranked as (

    {{ best_ranked('newest', ['rate_date', 'currency_code']) }}

)

select source, rate_date, currency_code, rate
from ranked
where
    rate > 0
    and currency_code <> 'EUR'
    and rate_date <= (select as_of from {{ ref('stg_program__run') }})
