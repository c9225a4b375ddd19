-- Grain: one row per ruling x credited partner; partner_id is null when nobody is credited (A6).
select * from {{ source('control', 'control__rulings') }}
