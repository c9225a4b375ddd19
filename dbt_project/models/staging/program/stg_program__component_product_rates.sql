-- Grain: one row per product with a rate of its own in a component (C7).
select * from {{ source('program', 'program__component_product_rates') }}
