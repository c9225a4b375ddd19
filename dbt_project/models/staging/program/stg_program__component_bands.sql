-- Grain: one row per band of a component's tiers (C5): counts, or minor units of the reporting currency.
select * from {{ source('program', 'program__component_bands') }}
