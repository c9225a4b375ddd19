-- Grain: one row per version of the lead rules.
select * from {{ source('program', 'program__lead_versions') }}
