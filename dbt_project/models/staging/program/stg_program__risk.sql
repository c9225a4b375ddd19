-- Grain: one row: from when a pattern is a fraud signal, and which signals open a hold.
select * from {{ source('program', 'program__risk') }}
