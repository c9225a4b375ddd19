-- Grain: one row per update that a person asked for (L5).
select * from {{ source('control', 'control__update_requests') }}
