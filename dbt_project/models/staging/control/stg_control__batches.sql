-- Grain: one row per payout batch.
select * from {{ source('control', 'control__batches') }}
