{#
  J6: the exact cross rate of each row of a relation (from_currency_code, to_currency_code, rate_for_date). Each leg
  is the newest euro rate on or before the day, not older than 7 days; a row without both is left out.
  minor_numerator ÷ minor_denominator turns minor units into minor units exactly (M2).
#}
{% macro cross_rates(needed) -%}
legs as (

    select from_currency_code as currency_code, rate_for_date
    from {{ needed }}

    union

    select to_currency_code, rate_for_date
    from {{ needed }}

),

priced as (

    select
        legs.currency_code,
        legs.rate_for_date,
        max(rates.rate_date) as rate_date,
        max_by(rates.rate, rates.rate_date) as rate
    from legs
    inner join {{ ref('int_sources__fx_rates') }} as rates
        on
            legs.currency_code = rates.currency_code
            and rates.rate_date <= legs.rate_for_date
            and rates.rate_date >= {{ add_days('legs.rate_for_date', -7) }}
    group by legs.currency_code, legs.rate_for_date

    union all

    select currency_code, rate_for_date, null, cast(1 as decimal(24, 10))
    from legs
    where currency_code = 'EUR'

),

currencies as (

    select
        currency_code,
        case exponent when 0 then 1 when 2 then 100 when 3 then 1000 when 4 then 10000 end as minor_per_major
    from {{ ref('stg_program__currencies') }}

)

select
    needed.from_currency_code,
    needed.to_currency_code,
    needed.rate_for_date,
    least(from_legs.rate_date, to_legs.rate_date) as rate_date,
    from_legs.rate as from_rate,
    to_legs.rate as to_rate,
    {{ wide('to_legs.rate * 10000000000') }} * to_currencies.minor_per_major as minor_numerator,
    {{ wide('from_legs.rate * 10000000000') }} * from_currencies.minor_per_major as minor_denominator
from {{ needed }} as needed
inner join priced as from_legs
    on
        needed.from_currency_code = from_legs.currency_code
        and needed.rate_for_date = from_legs.rate_for_date
inner join priced as to_legs
    on
        needed.to_currency_code = to_legs.currency_code
        and needed.rate_for_date = to_legs.rate_for_date
inner join currencies as from_currencies
    on needed.from_currency_code = from_currencies.currency_code
inner join currencies as to_currencies
    on needed.to_currency_code = to_currencies.currency_code
{%- endmacro %}
