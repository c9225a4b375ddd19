-- Grain: one row per product that a component includes or excludes (C2).
select * from {{ source('program', 'program__component_products') }}
