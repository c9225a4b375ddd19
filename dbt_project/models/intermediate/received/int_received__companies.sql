-- Grain: one row per landed version of a company (source, company_id, arrival, row_number), of any source.
with

hubspot as (

    select * from {{ ref('stg_hubspot__companies') }}

),

newest_companies as (

    {{ newest_versions('hubspot', ['company_id'], 'updated_at') }}

),

-- F1: the record that two were merged into names the old ids; each becomes an alias.
merged_ids as (

    select
        newest.source,
        newest.arrival,
        newest.row_number,
        newest.company_id as surviving_id,
        newest.updated_at,
        unnest(list_distinct(list_transform(
            string_split(concat_ws(';', newest.merged_ids_text), ';'),
            lambda part: trim(split_part(part, ':', 1))
        ))) as company_id
    from newest_companies as newest

),

aliases as (

    select * from merged_ids
    where
        company_id <> ''
        and company_id <> surviving_id

)

select
    source, arrival, row_number, company_id, company_domain, company_name, updated_at, is_deleted,
    merged_into_id
from {{ ref('stg_files__companies') }}

union all

select
    source, arrival, row_number, company_id, company_domain, company_name, updated_at, is_deleted,
    cast(null as varchar) as merged_into_id
from hubspot

union all

select
    source, arrival, row_number, company_id, cast(null as varchar) as company_domain,
    cast(null as varchar) as company_name, updated_at, true as is_deleted, surviving_id as merged_into_id
from aliases
