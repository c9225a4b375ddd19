-- Grain: one row per landed version of a contact (source, contact_id, arrival, row_number), of any source.
with

hubspot as (

    select * from {{ ref('stg_hubspot__contacts') }}

),

newest_contacts as (

    {{ newest_versions('hubspot', ['contact_id'], 'updated_at') }}

),

owners as (

    select * from {{ ref('stg_hubspot__owners') }}

),

newest_owners as (

    {{ newest_versions('owners', ['owner_id']) }}

),

-- F1: the record that two were merged into names the old ids; each becomes an alias.
merged_ids as (

    select
        newest.source,
        newest.arrival,
        newest.row_number,
        newest.contact_id as surviving_id,
        newest.updated_at,
        newest.created_at,
        unnest(list_distinct(list_transform(
            string_split(concat_ws(';', newest.merged_ids_text, newest.merged_vids_text), ';'),
            lambda part: trim(split_part(part, ':', 1))
        ))) as contact_id
    from newest_contacts as newest

),

first_seen as (

    select
        source,
        contact_id,
        min(created_at) as created_at
    from hubspot
    group by source, contact_id

),

aliases as (

    select
        merged_ids.*,
        coalesce(first_seen.created_at, merged_ids.created_at) as first_created_at
    from merged_ids
    left join first_seen
        on
            merged_ids.source = first_seen.source
            and merged_ids.contact_id = first_seen.contact_id
    where
        merged_ids.contact_id <> ''
        and merged_ids.contact_id <> merged_ids.surviving_id

)

select
    source, arrival, row_number, contact_id, email, created_at, company_id, code, owner_email,
    updated_at, is_deleted, merged_into_id
from {{ ref('stg_files__contacts') }}

union all

select
    hubspot.source, hubspot.arrival, hubspot.row_number, hubspot.contact_id, hubspot.email,
    hubspot.created_at, hubspot.company_id, hubspot.code, newest_owners.owner_email,
    hubspot.updated_at, hubspot.is_deleted, cast(null as varchar) as merged_into_id
from hubspot
left join newest_owners
    on
        hubspot.source = newest_owners.source
        and hubspot.owner_id = newest_owners.owner_id

union all

select
    source, arrival, row_number, contact_id, cast(null as varchar) as email, first_created_at,
    cast(null as varchar) as company_id, cast(null as varchar) as code, cast(null as varchar) as owner_email,
    updated_at, true as is_deleted, surviving_id as merged_into_id
from aliases
