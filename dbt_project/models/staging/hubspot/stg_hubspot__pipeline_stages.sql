-- Grain: one row per stage of a landed version of a deal pipeline (source, stage_id, arrival, row_number).
with

received as (

    select * from {{ source('hubspot', 'hubspot__pipelines') }}

)

select
    received._source as source,
    received._arrival as arrival,
    received._row as row_number,
    {{ json_text('stages.element', 'id') }} as stage_id,
    {{ json_text('stages.element', 'label') }} as stage_label,
    coalesce({{ json_text('stages.element', 'metadata.isClosed') }} = 'true', false) as is_closed,
    try_cast({{ json_text('stages.element', 'metadata.probability') }} as decimal(9, 4)) as probability
from received,
    {{ json_elements('received.payload', 'stages', 'stages') }}
