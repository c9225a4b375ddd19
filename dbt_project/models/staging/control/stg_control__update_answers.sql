-- Grain: one row per answer to an update request, also to one that a night computed (L5).
select * from {{ source('control', 'control__update_answers') }}
