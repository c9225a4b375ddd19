-- Grain: one row per hold of a person, or of a risk signal (signal_id).
select * from {{ source('control', 'control__holds') }}
