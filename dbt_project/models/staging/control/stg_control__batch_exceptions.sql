-- Grain: one row per exception of a batch (batch_id, number).
select * from {{ source('control', 'control__batch_exceptions') }}
