-- Who is to look at missed credits? Grain: one row per owner. Reads: marts.fct_missed_credits.
select distinct owner from marts.fct_missed_credits order by owner
