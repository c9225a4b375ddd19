-- Grain: one row per own or blocked domain of a version of the lead rules.
select * from {{ source('program', 'program__lead_domains') }}
