-- Grain: one row per local month that is closed now (period) (J4).
select * from {{ source('control', 'control__closed_periods') }}
