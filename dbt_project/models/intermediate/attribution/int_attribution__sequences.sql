-- Grain: one row per competing touch (lead_id, touch_id) in order of (time, touch id), repeats of one
-- partner collapsed where the rules say so: of a run, the last touch stays (A3).
with

ordered as (

    select
        candidates.lead_id,
        candidates.touch_id,
        candidates.partner_id,
        candidates.occurred_at,
        candidates.attribution_version,
        lead(candidates.partner_id) over touch_order as next_partner_id,
        lead(candidates.touch_id) over touch_order as next_touch_id,
        first_value(candidates.partner_id) over touch_order as first_partner_id,
        last_value(candidates.occurred_at) over whole_lead as newest_at
    from {{ ref('int_attribution__candidates') }} as candidates
    where candidates.excluded_by is null
    window
        touch_order as (partition by candidates.lead_id order by candidates.occurred_at, candidates.touch_id),
        whole_lead as (
            partition by candidates.lead_id
            order by candidates.occurred_at, candidates.touch_id
            rows between unbounded preceding and unbounded following
        )

)

select
    ordered.lead_id,
    ordered.touch_id,
    ordered.partner_id,
    ordered.occurred_at,
    ordered.attribution_version,
    ordered.first_partner_id = ordered.partner_id as is_of_first_partner,
    ordered.next_touch_id is null as is_last,
    ordered.newest_at,
    coalesce(versions.collapse_repeats and ordered.next_partner_id = ordered.partner_id, false) as is_collapsed,
    case when versions.collapse_repeats and ordered.next_partner_id = ordered.partner_id then ordered.next_touch_id end
        as collapsed_into
from ordered
inner join {{ ref('int_attribution__versions') }} as versions
    on ordered.attribution_version = versions.attribution_version
