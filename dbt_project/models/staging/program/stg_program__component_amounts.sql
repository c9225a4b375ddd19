-- Grain: one row per currency of a fixed amount of a component (C1).
select * from {{ source('program', 'program__component_amounts') }}
