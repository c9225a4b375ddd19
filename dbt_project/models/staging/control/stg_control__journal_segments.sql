-- Grain: one row per registered journal segment.
select * from {{ source('control', 'journal__segments') }}
