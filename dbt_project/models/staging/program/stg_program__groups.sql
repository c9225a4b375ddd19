-- Grain: one row per partner group, with the plan that governs it (T2).
select * from {{ source('program', 'program__groups') }}
