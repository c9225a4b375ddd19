-- Grain: one row per landed version of a HubSpot deal (source, id, arrival, row_number).
-- Renames, casts and the properties that sources.yml maps.
with

received as (

    select * from {{ source('hubspot', 'hubspot__deals') }}

),

code_fields as (

    {{ source_fields('deal_code') }}

)

select
    received._source as source,
    received._arrival as arrival,
    received._row as row_number,
    received.object_id as deal_id,
    {{ json_text('received.payload', 'properties.dealstage') }} as stage_id,
    {{ vendor_utc('coalesce(' ~ json_text('received.payload', 'properties.createdate') ~ ', ' ~ json_text('received.payload', 'createdAt') ~ ')') }} as created_at,
    try_cast({{ json_text('received.payload', 'properties.amount') }} as decimal(38, 6)) as amount_major,
    upper(nullif({{ json_text('received.payload', 'properties.deal_currency_code') }}, '')) as currency_code,
    {{ vendor_utc(json_text('received.payload', 'properties.closedate')) }} as close_date_at,
    {{ json_text('received.payload', 'properties.hs_is_closed') }} = 'true' as is_closed,
    {{ json_text('received.payload', 'properties.hs_is_closed_won') }} = 'true' as is_closed_won,
    {{ mapped_text('code_fields.places', 'received.payload') }} as code,
    {{ json_text('received.payload', 'properties.hubspot_owner_id') }} as owner_id,
    {{ vendor_utc('coalesce(' ~ json_text('received.payload', 'properties.hs_lastmodifieddate') ~ ', ' ~ json_text('received.payload', 'updatedAt') ~ ')') }} as updated_at,
    {{ json_text('received.payload', 'properties.hs_merged_object_ids') }} as merged_ids_text,
    coalesce(received.is_tombstone, false)
    or coalesce({{ json_text('received.payload', 'archived') }} = 'true', false) as is_deleted,
    case
        when {{ json_text('received.payload', 'archived') }} = 'true'
            then coalesce({{ vendor_utc(json_text('received.payload', 'archivedAt')) }}, received._retrieved_at)
        when received.is_tombstone then received._retrieved_at
    end as deleted_at
from received
left join code_fields
    on received._source = code_fields.source
