-- How many leads became valid for the partner, and how many deals were won? Grain: one row.
-- Reads marts.fct_partner_daily.
select
    coalesce(cast(sum(valid_leads) as bigint), 0) as leads,
    coalesce(cast(sum(deals_won) as bigint), 0) as deals
from marts.fct_partner_daily
where partner_id = $partner_id
