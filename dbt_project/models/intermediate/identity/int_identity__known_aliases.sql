-- Grain: one row per former lead id that people or the journal have seen (alias_lead_id), with the lead it is
-- part of now and since when that is known (decision 0029).
with

seen as (

    select alias_lead_id as lead_id, joined_at
    from {{ ref('stg_control__lead_joins') }}

    union all

    select lead_id, null
    from {{ ref('stg_control__published_leads') }}

    union all

    select distinct lead_id, cast(null as timestamp)
    from {{ ref('stg_control__journal_entries') }}

    union all

    select lead_id, null
    from {{ ref('stg_control__rulings') }}

    union all

    select subject_id, null
    from {{ ref('stg_control__holds') }}
    where subject_type = 'lead'

)

select
    aliases.alias_lead_id,
    aliases.lead_id,
    min(seen.joined_at) as joined_at
from {{ ref('int_identity__lead_aliases') }} as aliases
inner join seen
    on aliases.alias_lead_id = seen.lead_id
group by aliases.alias_lead_id, aliases.lead_id
