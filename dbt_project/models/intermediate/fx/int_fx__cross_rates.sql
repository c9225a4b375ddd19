-- Grain: one row per (from_currency_code, to_currency_code, rate_for_date) that an earning needs (J6).
-- Without a row the line waits.
with

needed as (

    select * from {{ ref('int_fx__needed') }}

),

{{ cross_rates('needed') }}
