-- Whom can leads be filtered by? Grain: one row per owner of a lead. Reads: marts.fct_leads.
select distinct owner from marts.fct_leads where owner is not null order by owner
