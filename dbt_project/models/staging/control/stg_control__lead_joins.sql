-- Grain: one row per lead that joined another after it had been published (alias_lead_id).
select * from {{ source('control', 'control__lead_joins') }}
