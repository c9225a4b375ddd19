{#
  M2: numerator ÷ denominator, rounded once, half away from zero, in whole integers.
  numerator: a product of BIGINT-ranged factors, widened by the caller with wide(); any sign.
  denominator: positive. Returns BIGINT; overflow raises rather than wraps.
  Why not round(a / b): `/` is floating point on DuckDB and loses cents above 2^53.
#}
{% macro round_ratio(numerator, denominator) -%}
    {{ return(adapter.dispatch('round_ratio', 'partnerledger')(numerator, denominator)) }}
{%- endmacro %}

{% macro default__round_ratio(numerator, denominator) -%}
    cast(
        sign({{ numerator }})
        * ((2 * abs({{ numerator }}) + ({{ denominator }})) // (2 * ({{ denominator }})))
        as bigint
    )
{%- endmacro %}

{# Widens an integer so that products of several amounts stay exact (38 digits). #}
{% macro wide(expression) -%}
    {{ return(adapter.dispatch('wide', 'partnerledger')(expression)) }}
{%- endmacro %}

{% macro default__wide(expression) -%}
    cast({{ expression }} as hugeint)
{%- endmacro %}

{# A DECIMAL(9,6) fraction as whole parts per million: exact, since six decimals are all there are. #}
{% macro ppm(rate) -%}
    cast({{ rate }} * 1000000 as bigint)
{%- endmacro %}

{# Whole part of a quotient of non-negative integers, for largest-remainder splits (M3). #}
{% macro whole_part(numerator, denominator) -%}
    {{ return(adapter.dispatch('whole_part', 'partnerledger')(numerator, denominator)) }}
{%- endmacro %}

{% macro default__whole_part(numerator, denominator) -%}
    (({{ numerator }}) // ({{ denominator }}))
{%- endmacro %}

{# A non-negative integer halved so many times, rounded down. #}
{% macro halved(number, times) -%}
    {{ return(adapter.dispatch('halved', 'partnerledger')(number, times)) }}
{%- endmacro %}

{% macro default__halved(number, times) -%}
    case when {{ times }} > 60 then 0 else {{ number }} // (cast(1 as bigint) << cast({{ times }} as integer)) end
{%- endmacro %}

{#
  The product of two shares given in parts of 10^18, none above one, in such parts, rounded down. Both are cut in
  halves of nine digits, as on paper: no product exceeds a BIGINT, and wide division is many times slower.
#}
{% macro product_of_parts(first, second) -%}
    (
        {{ whole_part(first, '1000000000') }} * {{ whole_part(second, '1000000000') }}
        + {{ whole_part(
            whole_part(first, '1000000000') ~ ' * (' ~ second ~ ' % 1000000000) + '
            ~ first ~ ' % 1000000000 * ' ~ whole_part(second, '1000000000') ~ ' + '
            ~ whole_part(first ~ ' % 1000000000 * (' ~ second ~ ' % 1000000000)', '1000000000'),
            '1000000000'
        ) }}
    )
{%- endmacro %}

{# A ratio of two positive rates, rounded to ten decimals, for people to read: amounts never use it (M2). #}
{% macro display_ratio(numerator, denominator) -%}
    {{ return(adapter.dispatch('display_ratio', 'partnerledger')(numerator, denominator)) }}
{%- endmacro %}

{% macro default__display_ratio(numerator, denominator) -%}
    cast(
        cast(
            (
                2 * cast({{ numerator }} * 10000000000 as hugeint) * 10000000000
                + cast({{ denominator }} * 10000000000 as hugeint)
            ) // (2 * cast({{ denominator }} * 10000000000 as hugeint))
            as decimal(24, 0)
        ) * cast(0.0000000001 as decimal(10, 10)) as decimal(24, 10)
    )
{%- endmacro %}

{#
  M1: an amount of Stripe's API in the minor units of ISO 4217. They are the same but for currencies without
  minor units that Stripe writes with two (ISK, UGX), and one with two that it writes without (MGA). Source:
  docs.stripe.com/currencies, zero-decimal currencies and special cases.
#}
{% macro stripe_minor(amount, currency) -%}
    case
        when upper({{ currency }}) in ('ISK', 'UGX') then {{ round_ratio(wide(amount), '100') }}
        when upper({{ currency }}) = 'MGA' then cast({{ amount }} as bigint) * 100
        -- What is no whole number was refused before (shape suites), or has been replaced by what is one.
        else try_cast({{ amount }} as bigint)
    end
{%- endmacro %}

{# Greatest common divisor of two integers, not negative: ratios of large amounts are reduced before they multiply. #}
{% macro common_divisor(first, second) -%}
    {{ return(adapter.dispatch('common_divisor', 'partnerledger')(first, second)) }}
{%- endmacro %}

{% macro default__common_divisor(first, second) -%}
    gcd({{ first }}, {{ second }})
{%- endmacro %}
