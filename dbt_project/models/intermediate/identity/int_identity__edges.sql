-- Grain: one row per pair of keys that one record carries (left_node_number, right_node_number).
-- A record joins each further key to its first one: enough for components, linear in keys.
with

keys as (

    select
        keys.record_type,
        keys.record_id,
        keys.key_number,
        nodes.node_number
    from {{ ref('int_identity__keys') }} as keys
    inner join {{ ref('int_identity__nodes') }} as nodes
        on keys.node_key = nodes.node_key

)

select distinct
    first_keys.node_number as left_node_number,
    further_keys.node_number as right_node_number
from keys as first_keys
inner join keys as further_keys
    on
        first_keys.record_type = further_keys.record_type
        and first_keys.record_id = further_keys.record_id
where
    first_keys.key_number = 1
    and further_keys.key_number > 1
