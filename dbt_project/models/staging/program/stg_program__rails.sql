-- Grain: one row per currency with the rail that pays it.
select * from {{ source('program', 'program__rails') }}
