{#
  T2: the plan version that governs an event. Pinned terms were fixed at the valid event; current
  terms are those in force on the event's own day. Gives columns plan_id and plan_version.
  events: relation with lead_id, partner_id, source_type, source_id, scope_type, scope_id (the customer or the
  event, as pins name them) and a local date column event_date.
  The join is on a column, not on a condition: a constant in an outer join's condition makes DuckDB
  compare every row with every row.
#}
{% macro governing_versions(events, event_date) -%}
    select
        {{ events }}.*,
        case
            when lead_plans.terms_follow = 'current' then current_versions.plan_id
            else coalesce(joined_plans.plan_id, lead_plans.plan_id)
        end as plan_id,
        case
            when lead_plans.terms_follow = 'current' then current_versions.plan_version
            else coalesce(joined_plans.plan_version, lead_plans.plan_version)
        end as plan_version
    from {{ events }}
    inner join {{ ref('int_terms__lead_plans') }} as lead_plans
        on
            {{ events }}.lead_id = lead_plans.lead_id
            and {{ events }}.partner_id = lead_plans.partner_id
    left join {{ ref('int_terms__partner_plans') }} as partner_plans
        on
            lead_plans.current_terms_partner_id = partner_plans.partner_id
            and {{ events }}.{{ event_date }} >= partner_plans.valid_from_date
            and {{ events }}.{{ event_date }} < partner_plans.valid_to_date
    left join {{ ref('int_terms__joined_plans') }} as joined_plans
        on
            {{ events }}.scope_type = joined_plans.scope_type
            and {{ events }}.scope_id = joined_plans.scope_id
            and {{ events }}.partner_id = joined_plans.partner_id
    left join {{ ref('int_terms__posted_earnings') }} as posted_earnings
        on
            {{ events }}.source_type = posted_earnings.source_type
            and {{ events }}.source_id = posted_earnings.source_id
            and {{ events }}.partner_id = posted_earnings.partner_id
    left join {{ ref('stg_program__plan_versions') }} as current_versions
        on
            coalesce(
                partner_plans.override_plan_id, posted_earnings.plan_id, partner_plans.plan_id
            ) = current_versions.plan_id
            and {{ events }}.{{ event_date }} >= current_versions.valid_from_date
            and {{ events }}.{{ event_date }} < current_versions.valid_to_date
{%- endmacro %}

{# P1: the first day on which an earning may be paid, from the day on which it came about. #}
{% macro available_date(effective_date, hold_after, hold_days) -%}
    {{ add_days(
        "case when " ~ hold_after ~ " = 'month_end' then " ~ month_end(effective_date)
        ~ " else " ~ effective_date ~ " end",
        hold_days
    ) }}
{%- endmacro %}

{#
  T2, decision 0018: an entry was posted under an override where its effective date lies within the override's dates
  and its plan is the override's. Overrides of one partner never overlap, so an entry meets one at most.
#}
{% macro paid_by_override(entries, overrides) -%}
    {{ entries }}.partner_id = {{ overrides }}.partner_id
    and {{ entries }}.plan_id = {{ overrides }}.plan_id
    and {{ entries }}.effective_date >= {{ overrides }}.valid_from_date
    and {{ entries }}.effective_date < {{ overrides }}.valid_to_date
{%- endmacro %}
