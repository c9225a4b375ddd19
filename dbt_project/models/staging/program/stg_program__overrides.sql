-- Grain: one row per override of a partner’s plan (T2).
select * from {{ source('program', 'program__overrides') }}
