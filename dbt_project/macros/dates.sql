{# The programme's time zone, one value for the whole night. #}
{% macro program_timezone() -%}
    (select timezone from {{ source('program', 'program__run') }})
{%- endmacro %}

{#
  M5: text to a UTC instant. With an offset the text says which instant it is; without one it is
  local time, and a bare date is local midnight, in the programme's time zone.
#}
{% macro utc(text_column) -%}
    {{ return(adapter.dispatch('utc', 'partnerledger')(text_column)) }}
{%- endmacro %}

{% macro default__utc(text_column) -%}
    case
        when {{ text_column }} is null then cast(null as timestamp)
        -- Most instants: cheaper than the pattern and the zone.
        when suffix({{ text_column }}, 'Z') then cast({{ text_column }} as timestamp)
        when regexp_matches({{ text_column }}, 'T?[0-9]{2}:[0-9]{2}.*(Z|z|[+-][0-9]{2}:?[0-9]{2})$')
            then timezone('UTC', cast({{ text_column }} as timestamptz))
        else timezone('UTC', timezone({{ program_timezone() }}, cast({{ text_column }} as timestamp)))
    end
{%- endmacro %}

{# The wall-clock time of a UTC instant in the programme's time zone (M5). #}
{% macro local_time(utc_column, timezone='run.timezone') -%}
    {{ return(adapter.dispatch('local_time', 'partnerledger')(utc_column, timezone)) }}
{%- endmacro %}

{% macro default__local_time(utc_column, timezone) -%}
    timezone({{ timezone }}, timezone('UTC', {{ utc_column }}))
{%- endmacro %}

{# The business date of a UTC instant (M5): the day finance sees on the calendar. #}
{% macro local_date(utc_column, timezone='run.timezone') -%}
    cast({{ local_time(utc_column, timezone) }} as date)
{%- endmacro %}

{# M5: N months after an anchor, always computed from the anchor (31 Jan + 1 = 28 Feb, + 2 = 31 Mar). #}
{% macro add_months(date_column, months) -%}
    cast({{ date_column }} + to_months(cast({{ months }} as integer)) as date)
{%- endmacro %}

{% macro add_days(date_column, days) -%}
    cast({{ date_column }} + cast({{ days }} as integer) as date)
{%- endmacro %}

{# M5: windows of N days are N × 24 hours. #}
{% macro add_days_24h(instant_column, days) -%}
    ({{ instant_column }} + to_hours(cast({{ days }} as integer) * 24))
{%- endmacro %}

{% macro days_between(first_date, last_date) -%}
    date_diff('day', {{ first_date }}, {{ last_date }})
{%- endmacro %}

{# Microseconds from one instant to a later one. #}
{% macro microseconds_between(first_instant, last_instant) -%}
    (epoch_us({{ last_instant }}) - epoch_us({{ first_instant }}))
{%- endmacro %}

{# Last day of the month of a date. #}
{% macro month_end(date_column) -%}
    cast(last_day({{ date_column }}) as date)
{%- endmacro %}

{# Yes or no as received (true/false, 1/0, yes/no), absent counts as no. #}
{% macro yes(text_column) -%}
    coalesce(lower({{ text_column }}) in ('true', '1', 'yes'), false)
{%- endmacro %}

{# First local day of the period that a day lies in: month, quarter, year or life. #}
{% macro period_start(date_column, period) -%}
    {{ return(adapter.dispatch('period_start', 'partnerledger')(date_column, period)) }}
{%- endmacro %}

{% macro default__period_start(date_column, period) -%}
    case {{ period }}
        when 'month' then cast(date_trunc('month', {{ date_column }}) as date)
        when 'quarter' then cast(date_trunc('quarter', {{ date_column }}) as date)
        when 'year' then cast(date_trunc('year', {{ date_column }}) as date)
        else date '1900-01-01'
    end
{%- endmacro %}

{# What people call a period: 2026-03, 2026-Q1, 2026, life. #}
{% macro period_label(start_column, period) -%}
    case {{ period }}
        when 'month' then substr(cast({{ start_column }} as varchar), 1, 7)
        when 'quarter'
            then substr(cast({{ start_column }} as varchar), 1, 4) || '-Q'
                || cast(extract(quarter from {{ start_column }}) as varchar)
        when 'year' then substr(cast({{ start_column }} as varchar), 1, 4)
        else 'life'
    end
{%- endmacro %}
