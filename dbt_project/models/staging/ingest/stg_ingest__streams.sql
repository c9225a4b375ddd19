-- Grain: one row per stream of the last ingest.
select * from {{ source('ingest', 'ingest__streams') }}
