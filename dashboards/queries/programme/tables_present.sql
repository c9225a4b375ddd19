-- Which marts does this snapshot hold? Older ones lack those that came later.
-- Grain: one row per table. Reads: the catalogue.
select table_name
from duckdb_tables()
where schema_name = 'marts'
