-- Grain: one row per touch type of a version of the attribution rules, 1 competes first (A2).
select * from {{ source('program', 'program__attribution_priority') }}
