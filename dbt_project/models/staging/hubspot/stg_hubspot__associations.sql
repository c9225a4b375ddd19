-- Grain: one row per record that a landed version of another is associated with
-- (source, from_type, from_id, to_type, to_id, arrival, row_number). to_id is empty where the set is empty.
-- The rows of a record's newest arrival are all it has.
with

{% set pairs = [('deal', 'contact', 'contacts'), ('deal', 'company', 'companies'), ('contact', 'company', 'companies'), ('meeting', 'contact', 'contacts'), ('meeting', 'company', 'companies')] -%}
received as (
    {% for from_type, to_type, plural in pairs %}
    select
        '{{ from_type }}' as from_type, '{{ to_type }}' as to_type,
        _source, _arrival, _row, parent_id, payload
    from {{ source('hubspot', 'hubspot__' ~ from_type ~ '_' ~ plural) }}
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

found as (

    select
        received.*,
        cast(targets.element as json) as target
    from received,
        {{ json_elements('received.payload', 'to', 'targets') }}

),

empty_sets as (

    select received.*, cast(null as json) as target
    from received
    where coalesce(json_array_length(received.payload, '$.to'), 0) = 0

),

every_row as (

    select * from found
    union all
    select * from empty_sets

)

select
    _source as source,
    _arrival as arrival,
    _row as row_number,
    from_type,
    parent_id as from_id,
    to_type,
    {{ json_text('target', 'toObjectId') }} as to_id,
    -- HubSpot's own label for the main company of a deal (5) and of a contact (1); labels that a portal
    -- defines itself are numbered too.
    coalesce(list_bool_or(
        list_transform(
            cast(json_extract(target, '$.associationTypes') as json[]),
            lambda label: coalesce(label ->> '$.category', 'HUBSPOT_DEFINED') = 'HUBSPOT_DEFINED'
            and (label ->> '$.typeId') in ('1', '5')
        )
    ), false) as is_primary
from every_row
