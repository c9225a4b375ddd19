-- How many discrepancies match? Grain: one row. Reads: marts.fct_attribution_discrepancies.
select count(*) as cases
from marts.fct_attribution_discrepancies
where $partner = '' or partner_id = $partner
