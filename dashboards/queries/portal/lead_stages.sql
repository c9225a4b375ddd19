-- Which stages did a lead reach, and when first? Grain: one row per stage. Asked for leads alone whose stage the
-- partner may follow; of a lead that it never touched there is nothing here either.
-- Reads marts.fct_lead_stages, fct_touchpoints, fct_lead_submissions, fct_attributions.
with

own_leads as (

    select lead_id from marts.fct_touchpoints where partner_id = $partner_id
    union
    select lead_id from marts.fct_lead_submissions where partner_id = $partner_id
    union
    select lead_id from marts.fct_attributions where partner_id = $partner_id and is_paying

)

select
    stages.stage,
    min(stages.reached_at) as reached_at
from marts.fct_lead_stages as stages
inner join own_leads
    on stages.lead_id = own_leads.lead_id
where
    stages.lead_id = $lead_id
    and stages.is_first
group by stages.stage
order by reached_at, stages.stage
