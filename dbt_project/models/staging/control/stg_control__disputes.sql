-- Grain: one row per dispute that a partner or staff opened (dispute_id).
select * from {{ source('control', 'control__disputes') }}
