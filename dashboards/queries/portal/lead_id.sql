-- Which lead does an id of the address name, and under which other ids was it known?
-- Grain: one row per id (known_id), the present one included. Reads marts.fct_leads, marts.dim_lead_aliases.
with

present as (

    select coalesce(
        (select max(aliases.lead_id) from marts.dim_lead_aliases as aliases where aliases.alias_lead_id = $lead_id),
        (select max(leads.lead_id) from marts.fct_leads as leads where leads.lead_id = $lead_id)
    ) as lead_id

)

select
    present.lead_id,
    present.lead_id as known_id
from present
where present.lead_id is not null

union

select
    present.lead_id,
    aliases.alias_lead_id as known_id
from present
inner join marts.dim_lead_aliases as aliases
    on present.lead_id = aliases.lead_id
