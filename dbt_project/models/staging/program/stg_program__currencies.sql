-- Grain: one row per currency of ISO 4217 with its exponent (M1).
select * from {{ source('program', 'program__currencies') }}
