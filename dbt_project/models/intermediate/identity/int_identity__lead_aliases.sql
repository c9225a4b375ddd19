-- Grain: one row per id under which a part of a lead can have been known (alias_lead_id), with the lead it is
-- part of now: the id that each key would give that can have begun a lead. Old ids in holds, rulings, journal
-- entries and people's notes are found by this; int_identity__known_aliases are those that anybody has seen.
select
    {{ lead_id('nodes.node_key') }} as alias_lead_id,
    leads.lead_id
from {{ ref('int_identity__nodes') }} as nodes
inner join {{ ref('int_identity__components') }} as components
    on nodes.node_number = components.node_number
inner join {{ ref('int_identity__leads') }} as leads
    on components.component_number = leads.component_number
where
    nodes.node_key <> leads.anchor_key
    and not nodes.age.is_no_beginning
