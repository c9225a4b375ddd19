-- Grain: one row per night: what is computed, for which programme, as known at the end of which local day (M6).
select * from {{ source('program', 'program__run') }}
