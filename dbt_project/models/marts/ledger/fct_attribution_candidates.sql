-- Grain: one row per (lead_id, partner_id, touchpoint_id): every candidate of a valid lead, winner or
-- loser, with the rule that decided and the record that beat it (A4).
with

candidates as (

    select * from {{ ref('int_attribution__candidates') }}

),

sequences as (

    select * from {{ ref('int_attribution__sequences') }}

),

credits as (

    select * from {{ ref('int_attribution__credits') }}

),

verdicts as (

    select * from {{ ref('int_leads__verdicts') }}

)

select
    candidates.lead_id,
    candidates.partner_id,
    candidates.touch_id as touchpoint_id,
    candidates.touch_type,
    candidates.occurred_at,
    coalesce(credits.touch_id = candidates.touch_id, false) as is_winner,
    case
        when credits.touch_id = candidates.touch_id then 'A3:' || candidates.model
        when candidates.excluded_by is not null then candidates.excluded_by
        when sequences.is_collapsed then 'A3:collapsed'
        when credits.is_pinned_against_computation then 'A6:pinned'
        else 'A3:not_' || candidates.model
    end as rule,
    case
        when credits.touch_id = candidates.touch_id then null
        when candidates.excluded_by = 'A2:code_grace' then candidates.link_touch_id
        when candidates.excluded_by like 'L4:%' then coalesce(verdicts.rival_key, credits.touch_id)
        when sequences.is_collapsed then sequences.collapsed_into
        else credits.touch_id
    end as lost_to
from candidates
left join sequences
    on
        candidates.lead_id = sequences.lead_id
        and candidates.touch_id = sequences.touch_id
left join credits
    on candidates.lead_id = credits.lead_id
left join verdicts
    on candidates.touch_id = verdicts.touch_id
