-- Grain: one row per country with a rate of its own in a component, the first that matches counts (C7).
select * from {{ source('program', 'program__component_conditions') }}
