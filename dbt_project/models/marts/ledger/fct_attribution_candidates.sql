-- Grain: one row per (lead_id, partner_id, touchpoint_id): every candidate of a valid lead, winner or
-- loser, with the rule that decided, the record that beat it, and both in words (A4).
with

decided_leads as (

    select
        decided_leads.lead_id,
        decided_leads.ruling_id,
        decided_leads.credits <> decided_leads.computed_credits as is_overruled,
        versions.model
    from {{ ref('int_attribution__decided_leads') }} as decided_leads
    inner join {{ ref('int_attribution__versions') }} as versions
        on decided_leads.attribution_version = versions.attribution_version

),

credits as (

    select * from {{ ref('int_attribution__credits') }}

),

rulings as (

    select
        rulings.lead_id,
        rulings.ruling_id,
        rulings.decided_at,
        {{ unnested_credits('rulings.credits') }}
    from {{ ref('int_attribution__rulings') }} as rulings
    inner join decided_leads
        on
            rulings.lead_id = decided_leads.lead_id
            and rulings.ruling_id = decided_leads.ruling_id

),

-- A6: a pin can credit a partner whom no touch would: its newest touch stands for it, one that competes first.
pinned_touches as (

    select
        candidates.lead_id,
        candidates.partner_id,
        max_by(
            candidates.touch_id,
            {
                'competes': candidates.excluded_by is null,
                'occurred_at': candidates.occurred_at,
                'touch_id': candidates.touch_id
            }
        ) as touch_id
    from {{ ref('int_attribution__candidates') }} as candidates
    inner join credits
        on
            candidates.lead_id = credits.lead_id
            and candidates.partner_id = credits.partner_id
            and credits.touch_id is null
            and credits.decided_by = 'pinned'
    group by candidates.lead_id, candidates.partner_id

),

carried_credits as (

    select
        credits.lead_id,
        credits.partner_id,
        credits.credit_ppm,
        credits.touch_id as computed_touch_id,
        pinned_touches.touch_id as pinned_touch_id
    from credits
    left join pinned_touches
        on
            credits.lead_id = pinned_touches.lead_id
            and credits.partner_id = pinned_touches.partner_id
    where
        credits.touch_id is not null
        or pinned_touches.touch_id is not null

),

-- What the losers of a lead lost to: the touch of the partner with the largest credit.
winning_touches as (

    select
        lead_id,
        max_by(
            coalesce(computed_touch_id, pinned_touch_id),
            {'credit_ppm': credit_ppm, 'touch_id': coalesce(computed_touch_id, pinned_touch_id)}
        ) as touch_id
    from carried_credits
    group by lead_id

),

judged as (

    select
        candidates.*,
        sequences.is_collapsed,
        sequences.collapsed_into,
        verdicts.rival_key,
        decided_leads.model,
        decided_leads.is_overruled,
        decided_leads.ruling_id,
        winning_touches.touch_id as winning_touch_id,
        coalesce(credits.pinned_touch_id = candidates.touch_id and decided_leads.ruling_id is null, false)
            as is_pinned_winner,
        candidates.excluded_by is null
        and not sequences.is_collapsed
        and decided_leads.ruling_id is null
        and credits.computed_touch_id is not null
        and (
            decided_leads.model not in ('last_touch', 'first_touch')
            or credits.computed_touch_id = candidates.touch_id
        ) as is_computed_winner
    from {{ ref('int_attribution__candidates') }} as candidates
    left join decided_leads
        on candidates.lead_id = decided_leads.lead_id
    left join {{ ref('int_attribution__sequences') }} as sequences
        on
            candidates.lead_id = sequences.lead_id
            and candidates.touch_id = sequences.touch_id
    left join carried_credits as credits
        on
            candidates.lead_id = credits.lead_id
            and candidates.partner_id = credits.partner_id
    left join winning_touches
        on candidates.lead_id = winning_touches.lead_id
    left join {{ ref('int_leads__verdicts') }} as verdicts
        on candidates.touch_id = verdicts.touch_id

),

ruled as (

    select
        judged.*,
        is_computed_winner or is_pinned_winner as is_winner,
        case
            when is_computed_winner then 'A3:' || model
            when is_pinned_winner then 'A6:pinned'
            when excluded_by is not null then excluded_by
            when is_collapsed then 'A3:collapsed'
            when ruling_id is not null then 'A6:ruling'
            when is_overruled then 'A6:pinned'
            else 'A3:not_' || model
        end as rule
    from judged

),

candidates as (

    select
        lead_id,
        partner_id,
        touch_id as touchpoint_id,
        touch_type,
        occurred_at,
        is_winner,
        rule,
        case
            when is_winner then null
            when rule = 'A2:code_grace' then link_touch_id
            when rule like 'L4:%' then coalesce(rival_key, winning_touch_id)
            when rule = 'A3:collapsed' then collapsed_into
            when rule = 'A6:ruling' then 'control:rulings:' || ruling_id
            else winning_touch_id
        end as lost_to
    from ruled

    union all

    -- A2, A6: a ruling outranks every touch.
    select
        lead_id,
        partner_id,
        'control:rulings:' || ruling_id,
        'manual_ruling',
        decided_at,
        true,
        'A2:manual_ruling',
        null
    from rulings

)

select
    candidates.*,
    {{ candidate_reason('candidates.rule') }} as why
from candidates
