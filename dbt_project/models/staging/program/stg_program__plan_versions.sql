-- Grain: one row per version of a plan (T1).
select * from {{ source('program', 'program__plan_versions') }}
