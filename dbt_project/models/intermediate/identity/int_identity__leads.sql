-- Grain: one row per lead (lead_id) (F4): a component that holds a person, a deal, a customer or a
-- submission. Anonymous visitors and bare company records are no leads yet.
-- The id comes from the oldest key, by arrival: it stays when the component grows, by late records too,
-- and when two leads join the older id survives (decision 0029).
with

nodes as (

    select
        nodes.node_key,
        nodes.first_seen_at,
        nodes.age,
        components.component_number
    from {{ ref('int_identity__nodes') }} as nodes
    inner join {{ ref('int_identity__components') }} as components
        on nodes.node_number = components.node_number

),

submission_components as (

    select distinct nodes.component_number
    from {{ ref('int_identity__keys') }} as keys
    inner join nodes
        on keys.node_key = nodes.node_key
    where
        keys.record_type in ('form_submission', 'deal_registration', 'lead_entry', 'meeting')
        and keys.key_number = 1

),

oldest as (

    select
        component_number,
        min_by(node_key, age) as anchor_key,
        min(first_seen_at) as first_seen_at,
        bool_or(
            split_part(node_key, ':', 1) in ('email', 'contact', 'deal', 'customer')
        ) as has_person,
        min(case when node_key like 'domain:%' then substr(node_key, 8) end) as company_domain
    from nodes
    group by component_number

)

select
    {{ lead_id('oldest.anchor_key') }} as lead_id,
    oldest.component_number,
    oldest.anchor_key,
    oldest.company_domain,
    oldest.first_seen_at
from oldest
left join submission_components
    on oldest.component_number = submission_components.component_number
where oldest.has_person or submission_components.component_number is not null
