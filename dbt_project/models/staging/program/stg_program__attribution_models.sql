-- Grain: one row per model computed under a version of the attribution rules (A3, A7).
select * from {{ source('program', 'program__attribution_models') }}
