-- How many cases are there of each kind? Grain: one row per kind. Reads: marts.fct_duplicate_leads.
select
    kind,
    count(*) as cases
from marts.fct_duplicate_leads
where $partner = '' or partner_id = $partner or other_partner_id = $partner
group by kind
order by kind
