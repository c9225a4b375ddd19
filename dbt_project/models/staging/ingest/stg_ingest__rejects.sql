-- Grain: one row per rejected record and reason.
select * from {{ source('ingest', 'ingest__rejects') }}
