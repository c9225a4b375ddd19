-- Grain: one row per lead of the snapshot that is published now (lead_id).
select * from {{ source('published', 'published__leads') }}
