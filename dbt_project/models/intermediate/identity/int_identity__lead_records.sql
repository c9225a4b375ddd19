-- Grain: one row per record that belongs to a lead (record_type, record_id).
with

first_keys as (

    select record_type, record_id, seen_at, node_key
    from {{ ref('int_identity__keys') }}
    where key_number = 1

)

select
    first_keys.record_type,
    first_keys.record_id,
    first_keys.seen_at,
    leads.lead_id
from first_keys
inner join {{ ref('int_identity__nodes') }} as nodes
    on first_keys.node_key = nodes.node_key
inner join {{ ref('int_identity__components') }} as components
    on nodes.node_number = components.node_number
inner join {{ ref('int_identity__leads') }} as leads
    on components.component_number = leads.component_number
