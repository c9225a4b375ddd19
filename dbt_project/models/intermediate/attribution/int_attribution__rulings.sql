-- Grain: one row per lead with an approved ruling (lead_id): the newest, of those on the lead and on leads that
-- have joined it (A6). It decides whatever has not earned yet; what has earned goes by
-- int_attribution__scope_rulings. A ruling counts as soon as it is approved, whatever the day of the touches
-- (decision 0030).
with

of_leads as (

    select
        rulings.*,
        coalesce(aliases.lead_id, rulings.named_lead_id) as lead_id
    from {{ ref('int_attribution__ruling_lists') }} as rulings
    left join {{ ref('int_identity__lead_aliases') }} as aliases
        on rulings.named_lead_id = aliases.alias_lead_id

)

select
    lead_id,
    max_by(ruling_id, arrival) as ruling_id,
    max_by(credits, arrival) as credits,
    max_by(decided_at, arrival) as decided_at
from of_leads
group by lead_id
