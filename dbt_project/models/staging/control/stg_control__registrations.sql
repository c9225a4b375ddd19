-- Grain: one row per registration or lead entered in the product (L1).
select * from {{ source('control', 'control__registrations') }}
