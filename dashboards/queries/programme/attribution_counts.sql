-- How much is there to look at? Grain: one row. Reads: marts.fct_attribution_discrepancies,
-- marts.fct_missed_credits, marts.fct_duplicate_leads.
select
    (select count(*) from marts.fct_attribution_discrepancies) as discrepancies,
    (select count(*) from marts.fct_missed_credits) as missed,
    (select count(*) from marts.fct_duplicate_leads) as duplicates
