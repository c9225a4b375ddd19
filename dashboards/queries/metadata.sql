-- Which night does this snapshot show? Grain: one row. Reads: marts.mart_metadata.
select * from marts.mart_metadata
