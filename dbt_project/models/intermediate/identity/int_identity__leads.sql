-- Grain: one row per lead (lead_id) (F4): a component that holds a person, a deal, a customer or a
-- submission. Anonymous visitors and bare company records are no leads yet.
-- The id comes from the key seen first, so it stays when the component grows by newer keys.
with

nodes as (

    select
        nodes.node_key,
        nodes.first_seen_at,
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
        keys.record_type in ('form_submission', 'deal_registration', 'meeting')
        and keys.key_number = 1

),

oldest as (

    select
        component_number,
        min_by(
            node_key,
            {'seen': coalesce(first_seen_at, timestamp '2200-01-01'), 'node_key': node_key}
        ) as anchor_key,
        min(first_seen_at) as first_seen_at,
        bool_or(
            split_part(node_key, ':', 1) in ('email', 'contact', 'deal', 'customer')
        ) as has_person,
        min(case when node_key like 'domain:%' then substr(node_key, 8) end) as company_domain
    from nodes
    group by component_number

)

select
    'lead_' || substr(md5(oldest.anchor_key), 1, 24) as lead_id,
    oldest.component_number,
    oldest.anchor_key,
    oldest.company_domain,
    oldest.first_seen_at
from oldest
left join submission_components
    on oldest.component_number = submission_components.component_number
where oldest.has_person or submission_components.component_number is not null
