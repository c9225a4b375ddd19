-- Grain: one row per (lead_id, partner_id) that is credited: the days on which the lead got to each stage first.
-- is_main marks one partner per lead, the one with the most credit, else the first by id: rows that are main count
-- each lead once over all partners (A3, L5).
with

credits as (

    select
        lead_id,
        partner_id,
        credit_ppm,
        valid_date,
        row_number() over (
            partition by lead_id
            order by credit_ppm desc, partner_id
        ) = 1 as is_main
    from {{ ref('int_attribution__credits') }}

),

stages as (

    select
        lead_id,
        max(occurred_date) filter (where stage = 'signup') as signup_date,
        max(occurred_date) filter (where stage = 'demo_booked') as demo_booked_date,
        max(occurred_date) filter (where stage = 'demo_held') as demo_held_date,
        max(occurred_date) filter (where stage = 'qualified') as qualified_date,
        max(occurred_date) filter (where stage = 'deal_won') as deal_won_date,
        max(occurred_date) filter (where stage = 'first_payment') as first_payment_date
    from {{ ref('int_leads__first_events') }}
    group by lead_id

)

select
    credits.lead_id,
    credits.partner_id,
    credits.is_main,
    credits.credit_ppm,
    credits.valid_date,
    stages.signup_date,
    stages.demo_booked_date,
    stages.demo_held_date,
    stages.qualified_date,
    stages.deal_won_date,
    stages.first_payment_date
from credits
left join stages
    on credits.lead_id = stages.lead_id
