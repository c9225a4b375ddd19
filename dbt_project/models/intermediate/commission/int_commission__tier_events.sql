-- Grain: one row per event that stands in a tier's period (partner_id, plan_id, component_id, metric, period,
-- event_type, event_id): a paid line, or for `conversions` also a lead that became valid. Rule C5, decision 0037.
-- weight is what it adds to the count, or to the revenue in the reporting currency; before_value and after_value
-- are the sums around it in its period, own_place the place of its customer or lead where that is new in it.
with

run as (

    select * from {{ ref('stg_program__run') }}

),

-- A count goes over all versions of a plan: a version's own tiers say which count it is judged by.
tiers as (

    select distinct plan_id, component_id, tier_metric as metric, tier_period as period
    from {{ ref('stg_program__components') }}
    where tier_metric is not null

),

lines as (

    select
        judged.*,
        -- A line without a rate of its day counts nothing until there is one.
        case
            when judged.currency_code = run.reporting_currency_code then judged.line_base_amount_minor
            else {{ round_ratio(
                wide('judged.line_base_amount_minor') ~ ' * rates.minor_numerator', 'rates.minor_denominator'
            ) }}
        end as revenue_amount_minor,
        row_number() over (
            partition by
                judged.partner_id, judged.plan_id, judged.component_id, judged.customer_id, judged.is_paying,
                judged.line_base_amount_minor > 0
            order by judged.first_paid_at, judged.invoice_line_id
        ) = 1 and judged.is_paying and judged.line_base_amount_minor > 0 as is_first_of_customer
    from {{ ref('int_commission__judged_lines') }} as judged
    cross join run
    left join {{ ref('int_fx__reporting_rates') }} as rates
        on
            judged.currency_code = rates.from_currency_code
            and judged.first_paid_date = rates.rate_for_date
    where
        judged.reason is null
        and exists (select 1 from tiers)

),

line_events as (

    select
        lines.partner_id,
        tiers.plan_id,
        tiers.component_id,
        tiers.metric,
        tiers.period,
        {{ period_start('lines.first_paid_date', 'tiers.period') }} as period_start_date,
        'line' as event_type,
        lines.invoice_line_id as event_id,
        lines.first_paid_at as event_at,
        case when tiers.metric = 'conversions' then lines.lead_id else lines.customer_id end as owner_id,
        lines.revenue_amount_minor,
        case
            when not lines.is_paying then 0
            when tiers.metric = 'revenue' then coalesce(lines.revenue_amount_minor, 0)
            when tiers.metric = 'customers' and lines.is_first_of_customer then 1
            else 0
        end as weight
    from lines
    inner join tiers
        on
            lines.plan_id = tiers.plan_id
            and lines.component_id = tiers.component_id

),

lead_events as (

    select
        credits.partner_id,
        tiers.plan_id,
        tiers.component_id,
        tiers.metric,
        tiers.period,
        {{ period_start(local_date('credits.valid_at'), 'tiers.period') }} as period_start_date,
        'lead' as event_type,
        credits.lead_id as event_id,
        credits.valid_at as event_at,
        credits.lead_id as owner_id,
        cast(null as bigint) as revenue_amount_minor,
        1 as weight
    from {{ ref('int_attribution__credits') }} as credits
    inner join {{ ref('int_terms__lead_plans') }} as lead_plans
        on
            credits.lead_id = lead_plans.lead_id
            and credits.partner_id = lead_plans.partner_id
    inner join tiers
        on
            lead_plans.plan_id = tiers.plan_id
            and tiers.metric = 'conversions'
    cross join run

),

events as (

    select * from line_events
    union all
    select * from lead_events

),

-- A lead that became valid at the very instant of a payment comes after it.
summed as (

    select
        events.*,
        cast(sum(weight) over in_order as bigint) as after_value,
        cast(sum(weight) over whole_period as bigint) as period_value
    from events
    window
        whole_period as (partition by partner_id, plan_id, component_id, metric, period, period_start_date),
        in_order as (
            partition by partner_id, plan_id, component_id, metric, period, period_start_date
            order by event_at, case event_type when 'line' then 0 else 1 end, event_id
            rows between unbounded preceding and current row
        )

)

select
    summed.*,
    after_value - weight as before_value,
    case
        when metric <> 'revenue'
            then max(case when weight = 1 then after_value - 1 end) over (
                partition by partner_id, plan_id, component_id, metric, period, period_start_date, owner_id
            )
    end as own_place
from summed
