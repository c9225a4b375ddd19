-- Grain: one row per message on a lead or a registration; never its text.
select * from {{ source('control', 'control__lead_messages') }}
