-- Grain: one row per version of the attribution rules.
select * from {{ source('program', 'program__attribution_versions') }}
