-- Grain: one row per decision on a registration, in the order of seq (L3).
select * from {{ source('control', 'control__registration_decisions') }}
