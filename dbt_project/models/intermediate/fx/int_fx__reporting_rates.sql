-- Grain: one row per (from_currency_code, rate_for_date): the rate into the reporting currency on the day of a
-- line's first payment, where tiers or bonuses count revenue (C5, C7).
with

run as (

    select * from {{ ref('stg_program__run') }}

),

revenue_components as (

    select component_id
    from {{ ref('stg_program__components') }}
    where
        tier_metric = 'revenue'
        or bonus_metric = 'revenue'

),

needed as (

    select distinct
        lines.currency_code as from_currency_code,
        run.reporting_currency_code as to_currency_code,
        lines.first_paid_date as rate_for_date
    from {{ ref('int_billing__paid_lines') }} as lines
    cross join run
    where
        lines.currency_code <> run.reporting_currency_code
        and exists (select 1 from revenue_components)

),

{{ cross_rates('needed') }}
