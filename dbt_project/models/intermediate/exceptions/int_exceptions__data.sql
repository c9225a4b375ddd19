-- Grain: one row per exception about what was delivered (kind, subject, what_to_do): refused rows, streams,
-- codes and partners that nobody knows.
{{ config(tags=['payouts']) }}

with

run as (

    select * from {{ ref('stg_program__run') }}

),

rejected_rows as (

    select
        'rejected_row' as kind,
        'error' as severity,
        rejects.source || ':' || rejects.file || ':' || cast(rejects.line as varchar)
        || coalesce(':' || rejects.column_name, '') as subject,
        cast(null as bigint) as amount_minor,
        cast(null as varchar) as currency_code,
        cast(null as varchar) as owner,
        run.as_of_end_at as opened_at,
        rejects.reason || '; correct the row and drop the file again' as what_to_do
    from {{ ref('stg_ingest__rejects') }} as rejects
    cross join run

),

failed_streams as (

    select
        'stream_failed', 'error', streams.source || ':' || streams.stream, null, null, null,
        run.as_of_end_at, coalesce(streams.what_to_do, streams.message)
    from {{ ref('stg_ingest__streams') }} as streams
    cross join run
    where streams.status = 'failed'

),

-- A stream that is no longer pulled still counts with what it delivered last.
late_streams as (

    select
        'stream_late', 'warning', streams.source || ':' || streams.stream, null, null, null,
        run.as_of_end_at,
        'it was last pulled at ' || strftime(streams.pulled_at, '%Y-%m-%d %H:%M') || ' UTC, more than '
        || streams.freshness_hours || ' hours before the end of the day; see why the night does not pull it'
    from {{ ref('stg_ingest__streams') }} as streams
    cross join run
    where
        streams.status <> 'failed'
        and streams.pulled_at + to_hours(streams.freshness_hours) < run.as_of_end_at

),

unknown_codes as (

    select
        'unknown_code', 'warning', {{ record_key('source', 'record_type', 'record_id') }}, null, null, null,
        occurred_at,
        'no partner held the code of this record at that moment; add it to partner_codes or correct it'
    from {{ ref('int_leads__touches') }}
    where is_unknown_code

),

ambiguous_codes as (

    select distinct
        'ambiguous_code', 'error', source || ':partner_codes:' || upper(trim(code)), cast(null as bigint),
        cast(null as varchar), cast(null as varchar), max(run.as_of_end_at),
        'one delivery gives the code to several partners from the same moment; the last row counts: '
        || 'give each its own valid_from'
    from {{ ref('int_received__partner_codes') }}
    cross join run
    group by source, upper(trim(code)), arrival, valid_from_at
    having count(distinct partner_id) > 1

),

unknown_partners as (

    select
        'unknown_partner', 'error', {{ record_key('source', 'record_type', 'record_id') }}, null, null, null,
        occurred_at,
        'partner ' || named_partner_id || ' is not in partners; add the partner or correct the record'
    from {{ ref('int_leads__touches') }}
    where
        named_partner_id is not null
        and partner_id is null

)

select * from rejected_rows
union all
select * from failed_streams
union all
select * from late_streams
union all
select * from unknown_codes
union all
select * from ambiguous_codes
union all
select * from unknown_partners
