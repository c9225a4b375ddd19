-- Grain: one row per bonus that a partner reached (component_id, source_id, partner_id); source_id is the period.
-- Rules C1, C7, T2, decision 0040: earned by the first event after which the period's count is at least the
-- threshold, under the version that governs the partner on that day. reason says why nothing is earned; a bonus that
-- was posted stays as it was posted.
with

run as (

    select * from {{ ref('stg_program__run') }}

),

components as (

    select * from {{ ref('stg_program__components') }}
    where kind = 'bonus'

),

periods as (

    select distinct bonus_metric as metric, bonus_period as period
    from components

),

counted as (

    select
        events.*,
        periods.period,
        {{ period_start('events.event_date', 'periods.period') }} as period_start_date,
        cast(sum(events.weight) over (
            partition by
                events.partner_id, events.metric, periods.period,
                {{ period_start('events.event_date', 'periods.period') }}
            order by events.event_at, events.event_id
            rows between unbounded preceding and current row
        ) as bigint) as reached
    from {{ ref('int_commission__bonus_events') }} as events
    inner join periods
        on events.metric = periods.metric

),

-- The directory says only today's group of a partner; the journal knows under which plans it has earned. What an
-- override says has dates of its own (decision 0018).
earned_plans as (

    select
        entries.partner_id,
        entries.plan_id,
        min(entries.effective_date) as since_date
    from {{ ref('stg_control__journal_entries') }} as entries
    left join {{ ref('stg_program__overrides') }} as overrides
        on {{ paid_by_override('entries', 'overrides') }}
    where
        entries.entry_kind in ('earning', 'bonus')
        and entries.source_type <> 'commission'
        and overrides.partner_id is null
        and exists (select 1 from components)
    group by entries.partner_id, entries.plan_id

),

plan_counts as (

    select partner_id, count(*) as plans
    from earned_plans
    group by partner_id

),

-- C7: never taken back.
posted as (

    select
        entries.component_id,
        entries.source_id,
        entries.partner_id,
        max(entries.plan_id) as plan_id,
        max(entries.plan_version) as plan_version,
        max(entries.payout_currency_code) as payout_currency_code,
        max(entries.effective_date) as effective_date,
        max(entries.available_date) as available_date,
        max(cast({{ json_text('entries.explanation', 'earned_at') }} as timestamp)) as earned_at,
        cast(sum(entries.amount_minor) as bigint) as amount_minor,
        bool_or(overrides.partner_id is not null) as is_paid_by_override
    from {{ ref('stg_control__journal_entries') }} as entries
    left join {{ ref('stg_program__overrides') }} as overrides
        on {{ paid_by_override('entries', 'overrides') }}
    where entries.entry_kind = 'bonus'
    group by entries.component_id, entries.source_id, entries.partner_id

),

governed as (

    select
        counted.*,
        partner_plans.override_plan_id,
        versions.plan_id,
        versions.plan_version,
        versions.hold_days,
        versions.hold_after,
        components.component_id,
        components.component_order,
        components.bonus_threshold,
        {{ period_label('counted.period_start_date', 'counted.period') }} as source_id
    from counted
    inner join {{ ref('int_terms__partner_plans') }} as partner_plans
        on
            counted.partner_id = partner_plans.partner_id
            and counted.event_date >= partner_plans.valid_from_date
            and counted.event_date < partner_plans.valid_to_date
    inner join {{ ref('stg_program__plan_versions') }} as versions
        on
            partner_plans.plan_id = versions.plan_id
            and counted.event_date >= versions.valid_from_date
            and counted.event_date < versions.valid_to_date
    inner join components
        on
            versions.plan_id = components.plan_id
            and versions.plan_version = components.plan_version
            and counted.metric = components.bonus_metric
            and counted.period = components.bonus_period
            and counted.reached >= components.bonus_threshold

),

-- Decision 0040: a partner that has earned under another group's plan gets the bonuses of its present one from the
-- period around the first entry under it on, at the latest that of as_of, and none for a period in which another
-- group's plan paid one. What an override paid stands in no group's way.
of_present_plan as (

    select governed.*
    from governed
    cross join run
    left join earned_plans as own_plans
        on
            governed.partner_id = own_plans.partner_id
            and governed.plan_id = own_plans.plan_id
    left join plan_counts
        on governed.partner_id = plan_counts.partner_id
    where
        governed.override_plan_id is not null
        or coalesce(plan_counts.plans, 0) = case when own_plans.plan_id is null then 0 else 1 end
        or (
            governed.event_date >= case
                when governed.period = 'life' then coalesce(own_plans.since_date, run.as_of)
                else {{ period_start('coalesce(own_plans.since_date, run.as_of)', 'governed.period') }}
            end
            and not exists (
                select 1
                from posted
                where
                    posted.partner_id = governed.partner_id
                    and posted.source_id = governed.source_id
                    and posted.plan_id <> governed.plan_id
                    and not posted.is_paid_by_override
            )
        )

),

first_reached as (

    select * exclude (event_rank)
    from (
        select
            of_present_plan.*,
            row_number() over (
                partition by partner_id, component_id, source_id
                order by event_at, event_id
            ) as event_rank
        from of_present_plan
    ) as ranked
    where event_rank = 1

),

computed as (

    select
        first_reached.component_id,
        first_reached.component_order,
        first_reached.source_id,
        first_reached.partner_id,
        first_reached.plan_id,
        first_reached.plan_version,
        first_reached.hold_days,
        first_reached.hold_after,
        first_reached.metric,
        first_reached.bonus_threshold,
        first_reached.reached,
        first_reached.event_at as earned_at,
        first_reached.event_date as effective_date,
        {{ available_date('first_reached.event_date', 'first_reached.hold_after', 'first_reached.hold_days') }}
            as available_date,
        currencies.payout_currency_code,
        amounts.amount_minor
    from first_reached
    inner join {{ ref('int_commission__payout_currencies') }} as currencies
        on first_reached.partner_id = currencies.partner_id
    left join {{ ref('stg_program__component_amounts') }} as amounts
        on
            first_reached.plan_id = amounts.plan_id
            and first_reached.plan_version = amounts.plan_version
            and first_reached.component_id = amounts.component_id
            and amounts.amount_role = 'amount'
            and currencies.payout_currency_code = amounts.currency_code

)

select
    coalesce(posted.component_id, computed.component_id) as component_id,
    computed.component_order,
    coalesce(posted.source_id, computed.source_id) as source_id,
    coalesce(posted.partner_id, computed.partner_id) as partner_id,
    coalesce(posted.plan_id, computed.plan_id) as plan_id,
    coalesce(posted.plan_version, computed.plan_version) as plan_version,
    computed.hold_days,
    computed.hold_after,
    computed.metric,
    computed.bonus_threshold,
    computed.reached,
    coalesce(posted.earned_at, computed.earned_at) as earned_at,
    coalesce(posted.effective_date, computed.effective_date) as effective_date,
    coalesce(posted.available_date, computed.available_date) as available_date,
    coalesce(posted.payout_currency_code, computed.payout_currency_code) as payout_currency_code,
    coalesce(posted.amount_minor, computed.amount_minor) as amount_minor,
    posted.partner_id is not null as is_posted,
    case
        when posted.partner_id is not null then null
        when computed.amount_minor is null then 'no_amount_for_currency'
    end as reason
from computed
full outer join posted
    on
        computed.component_id = posted.component_id
        and computed.source_id = posted.source_id
        and computed.partner_id = posted.partner_id
