-- Of the leads of each partner that became valid in the period, how many have won a deal, and how fast?
-- Grain: one row per partner. Reads: marts.fct_lead_journeys. Metrics: lead_to_deal, days_to_deal.
select
    partner_id,
    count(*) as cohort_leads,
    count(deal_won_date) as cohort_deals_won,
    quantile_disc(greatest(date_diff('day', valid_date, deal_won_date), 0), 0.5)
        filter (where deal_won_date is not null) as days_to_deal
from marts.fct_lead_journeys
where valid_date between $start and $end
group by partner_id
