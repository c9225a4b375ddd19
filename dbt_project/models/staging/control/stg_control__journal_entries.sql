-- Grain: one row per registered journal entry (J2).
select * from {{ source('control', 'journal__entries') }}
