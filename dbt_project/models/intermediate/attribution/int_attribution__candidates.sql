-- Grain: one row per touch on a valid lead (lead_id, touch_id), with whether it competes and, if not,
-- the rule that excluded it (A1, A2, A4). The window's two ends are included, to the instant.
{{ config(materialized='view') }}

with

leads as (

    select
        valid_events.lead_id,
        valid_events.valid_at,
        versions.attribution_version,
        versions.code_grace_hours,
        rejected.verdict as rejected_verdict,
        {{ add_days_24h('valid_events.valid_at', '-versions.touch_window_days') }} as window_starts_at
    from {{ ref('int_leads__valid_events') }} as valid_events
    inner join {{ ref('int_attribution__versions') }} as versions
        on
            valid_events.valid_date >= versions.valid_from_date
            and valid_events.valid_date < versions.valid_to_date
    left join {{ ref('int_leads__rejected_leads') }} as rejected
        on valid_events.lead_id = rejected.lead_id

),

priority as (

    select * from {{ ref('stg_program__attribution_priority') }}

),

screened as (

    select
        leads.lead_id,
        leads.attribution_version,
        leads.code_grace_hours,
        touches.touch_id,
        touches.partner_id,
        touches.touch_type,
        touches.occurred_at,
        case
            when touches.occurred_at > leads.valid_at then 'A1:after_valid_event'
            when touches.occurred_at < leads.window_starts_at then 'A1:before_touch_window'
            when
                touches.record_type = 'deal_registration'
                and verdicts.registration_status <> 'approved'
                then 'A2:registration_' || verdicts.registration_status
            when verdicts.submission_key is not null and not verdicts.is_competing
                then 'L4:' || verdicts.verdict
            -- L1, decision 0005: a lead of our own or blocked domains earns nobody anything.
            when leads.rejected_verdict is not null then 'L1:' || leads.rejected_verdict
        end as excluded_by
    from {{ ref('int_leads__touches') }} as touches
    left join {{ ref('int_leads__verdicts') }} as verdicts
        on touches.touch_id = verdicts.touch_id
    inner join leads
        on touches.lead_id = leads.lead_id
    where touches.partner_id is not null

),

touches as (

    select
        screened.*,
        case
            when code_grace_hours > 0 and touch_type = 'promotion_code' and excluded_by is null
                then occurred_at - to_hours(cast(code_grace_hours as integer))
        end as grace_starts_at
    from screened

),

-- A2: a code loses to another partner's link touch in the grace hours before it, ends included. The links are
-- joined to the few codes that have such hours, and not to every touch.
graced_codes as (

    select
        codes.lead_id,
        codes.attribution_version,
        codes.touch_id,
        codes.partner_id,
        codes.touch_type,
        codes.occurred_at,
        max_by(links.touch_id, {'occurred_at': links.occurred_at, 'touch_id': links.touch_id}) as link_touch_id,
        max(case when links.touch_id is not null then 'A2:code_grace' end) as excluded_by
    from touches as codes
    left join touches as links
        on
            codes.lead_id = links.lead_id
            and codes.partner_id <> links.partner_id
            and codes.occurred_at >= links.occurred_at
            and codes.grace_starts_at <= links.occurred_at
            and links.touch_type = 'referral_link'
            and links.excluded_by is null
            and links.code_grace_hours > 0
    where codes.grace_starts_at is not null
    group by
        codes.lead_id,
        codes.attribution_version,
        codes.touch_id,
        codes.partner_id,
        codes.touch_type,
        codes.occurred_at

),

judged as {{ recomputed() }} (

    select
        lead_id,
        attribution_version,
        touch_id,
        partner_id,
        touch_type,
        occurred_at,
        null as link_touch_id,
        excluded_by
    from touches
    where grace_starts_at is null

    union all

    select * from graced_codes

),

ranked as {{ recomputed() }} (

    select
        judged.*,
        priority.priority_rank
    from judged
    inner join priority
        on
            judged.attribution_version = priority.attribution_version
            and judged.touch_type = priority.touch_type

),

-- A2: only the highest type present competes; its newest touch is what beats the lower types.
highest_ranks as (

    select
        lead_id,
        attribution_version,
        min(priority_rank) as priority_rank
    from ranked
    where excluded_by is null
    group by lead_id, attribution_version

),

highest_types as (

    select
        highest_ranks.lead_id,
        highest_ranks.priority_rank,
        priority.touch_type
    from highest_ranks
    inner join priority
        on
            highest_ranks.attribution_version = priority.attribution_version
            and highest_ranks.priority_rank = priority.priority_rank

)

select
    ranked.* exclude (priority_rank, excluded_by),
    case
        when ranked.excluded_by is null and ranked.priority_rank > highest_types.priority_rank
            then 'A2:lower_type_than_' || highest_types.touch_type
        else ranked.excluded_by
    end as excluded_by
from ranked
left join highest_types
    on ranked.lead_id = highest_types.lead_id
