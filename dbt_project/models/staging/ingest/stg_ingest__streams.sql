-- Grain: one row per stream (source, stream): how its last try went, and when it was last read with
-- success (pulled_at).
select * from {{ source('ingest', 'ingest__streams') }}
