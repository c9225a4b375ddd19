-- Grain: one row per hold placed by people.
select * from {{ source('control', 'control__holds') }}
