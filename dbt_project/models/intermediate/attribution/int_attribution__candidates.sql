-- Grain: one row per touch on a valid lead (lead_id, touch_id), with whether it competes and, if not,
-- the rule that excluded it (A1, A2, A4). The window's two ends are included, to the instant.
with

leads as (

    select
        valid_events.*,
        versions.attribution_version,
        versions.model,
        versions.collapse_repeats,
        versions.code_grace_hours,
        versions.conversion_window_days,
        {{ add_days_24h('valid_events.valid_at', '-versions.touch_window_days') }} as window_starts_at
    from {{ ref('int_leads__valid_events') }} as valid_events
    inner join {{ ref('stg_program__attribution_versions') }} as versions
        on
            valid_events.valid_date >= versions.valid_from_date
            and valid_events.valid_date < versions.valid_to_date

),

touches as (

    select
        leads.lead_id,
        leads.valid_at,
        leads.attribution_version,
        leads.model,
        leads.collapse_repeats,
        leads.code_grace_hours,
        touches.touch_id,
        touches.partner_id,
        touches.touch_type,
        touches.occurred_at,
        priority.priority_rank,
        verdicts.verdict,
        case
            when touches.occurred_at > leads.valid_at then 'A1:after_valid_event'
            when touches.occurred_at < leads.window_starts_at then 'A1:before_touch_window'
            when
                touches.record_type = 'deal_registration'
                and verdicts.registration_status <> 'approved'
                then 'A2:registration_' || verdicts.registration_status
            when verdicts.submission_key is not null and not verdicts.is_competing
                then 'L4:' || verdicts.verdict
        end as excluded_by
    from leads
    inner join {{ ref('int_leads__touches') }} as touches
        on
            leads.lead_id = touches.lead_id
            and touches.partner_id is not null
    inner join {{ ref('stg_program__attribution_priority') }} as priority
        on
            leads.attribution_version = priority.attribution_version
            and touches.touch_type = priority.touch_type
    left join {{ ref('int_leads__verdicts') }} as verdicts
        on touches.touch_id = verdicts.touch_id

),

-- A2: a code loses to another partner's link touch in the grace hours before it, ends included.
beaten_codes as (

    select
        codes.lead_id,
        codes.touch_id,
        max_by(links.touch_id, links.occurred_at) as link_touch_id
    from touches as codes
    inner join touches as links
        on
            codes.lead_id = links.lead_id
            and links.touch_type = 'referral_link'
            and links.excluded_by is null
            and links.partner_id <> codes.partner_id
            and links.occurred_at <= codes.occurred_at
            and links.occurred_at >= codes.occurred_at - to_hours(cast(codes.code_grace_hours as integer))
    where
        codes.touch_type = 'promotion_code'
        and codes.excluded_by is null
        and codes.code_grace_hours > 0
    group by codes.lead_id, codes.touch_id

),

after_grace as (

    select
        touches.* exclude (excluded_by),
        case
            when beaten_codes.touch_id is not null then 'A2:code_grace'
            else touches.excluded_by
        end as excluded_by,
        beaten_codes.link_touch_id
    from touches
    left join beaten_codes
        on
            touches.lead_id = beaten_codes.lead_id
            and touches.touch_id = beaten_codes.touch_id

),

-- A2: only the highest type present competes.
highest as (

    select
        lead_id,
        min(priority_rank) as priority_rank,
        min_by(touch_type, priority_rank) as touch_type
    from after_grace
    where excluded_by is null
    group by lead_id

)

select
    after_grace.lead_id,
    after_grace.valid_at,
    after_grace.attribution_version,
    after_grace.model,
    after_grace.collapse_repeats,
    after_grace.touch_id,
    after_grace.partner_id,
    after_grace.touch_type,
    after_grace.occurred_at,
    after_grace.link_touch_id,
    coalesce(
        after_grace.excluded_by,
        case
            when after_grace.priority_rank > highest.priority_rank
                then 'A2:lower_type_than_' || highest.touch_type
        end
    ) as excluded_by
from after_grace
left join highest
    on after_grace.lead_id = highest.lead_id
