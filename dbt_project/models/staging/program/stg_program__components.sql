-- Grain: one row per component of a plan version (C1).
select * from {{ source('program', 'program__components') }}
