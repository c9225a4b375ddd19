-- Grain: one row per thing that people ask and write about (subject_type, subject_id), with its lead: a lead
-- by its id or one it had before, a registration by its key (L5). Only what they did ask or write about.
with

named as (

    select subject_type, subject_id
    from {{ ref('stg_control__update_requests') }}

    union

    select subject_type, subject_id
    from {{ ref('stg_control__update_answers') }}

    union

    select subject_type, subject_id
    from {{ ref('stg_control__lead_messages') }}

)

select
    named.subject_type,
    named.subject_id,
    case named.subject_type
        when 'registration' then verdicts.lead_id
        else coalesce(aliases.lead_id, named.subject_id)
    end as lead_id
from named
left join {{ ref('int_identity__lead_aliases') }} as aliases
    on named.subject_id = aliases.alias_lead_id
left join {{ ref('int_leads__verdicts') }} as verdicts
    on named.subject_id = verdicts.submission_key
