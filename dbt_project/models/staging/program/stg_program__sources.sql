-- Grain: one row per source, in the order that decides which of two sources counts (F2).
select * from {{ source('program', 'program__sources') }}
