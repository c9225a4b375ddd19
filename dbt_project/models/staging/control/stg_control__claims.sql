-- Grain: one row per journal entry claimed by a batch.
select * from {{ source('control', 'control__claims') }}
