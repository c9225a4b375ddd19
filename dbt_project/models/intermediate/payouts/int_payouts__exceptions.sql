-- Grain: one row per exception (exception_id): what needs a person, with what to do about it. A union of the
-- areas; one that says the same of the same subject is the same exception from night to night.
{{ config(tags=['payouts']) }}

with

exceptions as (

    select * from {{ ref('int_exceptions__data') }}
    union all
    select * from {{ ref('int_exceptions__billing') }}
    union all
    select * from {{ ref('int_exceptions__leads') }}
    union all
    select * from {{ ref('int_exceptions__attribution') }}
    union all
    select * from {{ ref('int_exceptions__commission') }}
    union all
    select * from {{ ref('int_exceptions__risk') }}
    union all
    select * from {{ ref('int_exceptions__payouts') }}

)

select
    md5(kind || chr(31) || subject || chr(31) || coalesce(currency_code, '') || chr(31) || what_to_do) as exception_id,
    exceptions.*
from exceptions
