-- Grain: one row per earning that was posted and that an approved ruling moves (component_id, source_type,
-- source_id, partner_id): the partner's credit is another one than that under which it was earned (A6, J1).
-- ruled_date: the day of the approval, or the one posted before. ruled_from_segment: the first segment that holds the ruling's own entries; what was posted before it stays
-- as it is, and the ruling's entry makes up the difference.
with

-- Only scopes that a ruling decides are looked at: most nights have none.
ruled as (

    select 'customer' as scope_type, customer_id as scope_id, decided_by, credits, ruled_at
    from {{ ref('int_attribution__decided_customers') }}
    where ruled_at is not null

    union all

    select 'event', scope_id, decided_by, credits, ruled_at
    from {{ ref('int_attribution__decided_events') }}
    where ruled_at is not null

),

entries as (

    select
        entries.*,
        case when entries.source_type = 'invoice_line' then 'customer' else 'event' end as scope_type,
        case
            when entries.source_type = 'invoice_line' then entries.customer_id
            else components.trigger || ':' || entries.source_type || ':' || entries.source_id
        end as scope_id
    from {{ ref('stg_control__journal_entries') }} as entries
    left join {{ ref('stg_program__components') }} as components
        on
            entries.plan_id = components.plan_id
            and entries.plan_version = components.plan_version
            and entries.component_id = components.component_id

),

first_earnings as (

    select
        entries.component_id,
        entries.source_type,
        entries.source_id,
        entries.partner_id,
        ruled.decided_by,
        ruled.ruled_at,
        ruled.credits,
        min_by(entries.explanation, {'segment': entries.segment, 'ordinal': entries.ordinal}) as explanation
    from entries
    inner join ruled
        on
            entries.scope_type = ruled.scope_type
            and entries.scope_id = ruled.scope_id
    where entries.entry_kind = 'earning'
    group by
        entries.component_id, entries.source_type, entries.source_id, entries.partner_id, ruled.decided_by,
        ruled.ruled_at, ruled.credits

),

compared as (

    select
        first_earnings.*,
        substr(first_earnings.decided_by, 8) as ruling_id,
        {{ credit_of(
            'coalesce(' ~ parsed_credits(json_text('first_earnings.explanation', 'credits')) ~ ', '
            ~ '[{\'partner_id\': first_earnings.partner_id, \'credit_ppm\': 1000000}])',
            'first_earnings.partner_id'
        ) }} as earned_credit_ppm,
        {{ credit_of('first_earnings.credits', 'first_earnings.partner_id') }} as ruled_credit_ppm
    from first_earnings
    where coalesce({{ json_text('first_earnings.explanation', 'decided_by') }}, '') <> first_earnings.decided_by

),

ruling_segments as (

    select
        component_id,
        source_type,
        source_id,
        partner_id,
        cause_id as ruling_id,
        min(segment) as ruled_from_segment,
        min(effective_date) as posted_ruled_date
    from entries
    where entry_kind = 'ruling'
    group by component_id, source_type, source_id, partner_id, cause_id

)

select
    compared.component_id,
    compared.source_type,
    compared.source_id,
    compared.partner_id,
    compared.ruling_id,
    coalesce(ruling_segments.posted_ruled_date, {{ local_date('compared.ruled_at') }}) as ruled_date,
    ruling_segments.ruled_from_segment
from compared
cross join {{ ref('stg_program__run') }} as run
left join ruling_segments
    on
        compared.component_id = ruling_segments.component_id
        and compared.source_type = ruling_segments.source_type
        and compared.source_id = ruling_segments.source_id
        and compared.partner_id = ruling_segments.partner_id
        and compared.ruling_id = ruling_segments.ruling_id
where compared.earned_credit_ppm <> compared.ruled_credit_ppm
