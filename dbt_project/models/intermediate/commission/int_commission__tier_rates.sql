-- Grain: one row per (invoice_line_id, partner_id, component_id) of a component with tiers that pays on the line:
-- the rate that its version's bands give it (C5, decision 0037). The rate is rate_sum_ppm ÷ share_base parts per
-- million: one band's rate over 1, or for a line that fills several bands the sum of rate × part over the line.
with

judged as (

    select
        invoice_line_id, partner_id, component_id, plan_id, plan_version, is_paying, tier_metric, tier_period,
        tier_mode
    from {{ ref('int_commission__judged_lines') }}
    where
        reason is null
        and tier_metric is not null

),

placed as (

    select
        judged.*,
        events.revenue_amount_minor,
        events.period_start_date,
        case
            when judged.tier_mode = 'whole' and judged.is_paying then events.period_value
            when judged.tier_mode = 'marginal' and judged.is_paying
                then coalesce(events.own_place, least(events.before_value, events.after_value))
            else events.before_value
        end as from_position,
        case
            when judged.tier_mode = 'marginal' and judged.tier_metric = 'revenue' and judged.is_paying
                then greatest(events.before_value, events.after_value)
        end as to_position
    from judged
    inner join {{ ref('int_commission__tier_events') }} as events
        on
            judged.partner_id = events.partner_id
            and judged.plan_id = events.plan_id
            and judged.component_id = events.component_id
            and judged.tier_metric = events.metric
            and judged.tier_period = events.period
            and judged.invoice_line_id = events.event_id
            and events.event_type = 'line'

),

banded as (

    select
        placed.*,
        case when placed.to_position > placed.from_position then placed.to_position - placed.from_position else 1 end
            as whole_part,
        bands.band_number,
        bands.rate,
        case
            when placed.to_position > placed.from_position
                then least(placed.to_position, coalesce(bands.to_value, 9223372036854775807))
                    - case
                        -- What lies below 0 has the first band's rate.
                        when bands.band_number = 1 then placed.from_position
                        else greatest(placed.from_position, bands.from_value)
                    end
            when
                greatest(placed.from_position, 0) >= bands.from_value
                and (bands.to_value is null or greatest(placed.from_position, 0) < bands.to_value)
                then 1
            else 0
        end as part
    from placed
    inner join {{ ref('stg_program__component_bands') }} as bands
        on
            placed.plan_id = bands.plan_id
            and placed.plan_version = bands.plan_version
            and placed.component_id = bands.component_id

)

-- Most lines lie in one band, and need no sum.
select
    invoice_line_id,
    partner_id,
    component_id,
    tier_metric,
    tier_period,
    tier_mode,
    {{ period_label('period_start_date', 'tier_period') }} as tier_period_label,
    from_position,
    to_position,
    tier_metric = 'revenue' and revenue_amount_minor is null as is_waiting_for_rate,
    rate as tier_rate,
    {{ wide(ppm('rate')) }} as rate_sum_ppm,
    {{ wide('1') }} as share_base,
    {{ one_band('rate', 'part', 'whole_part') }} as tier_bands
from banded
where part = whole_part

union all

select
    invoice_line_id,
    partner_id,
    component_id,
    tier_metric,
    tier_period,
    tier_mode,
    {{ period_label('period_start_date', 'tier_period') }} as tier_period_label,
    from_position,
    to_position,
    tier_metric = 'revenue' and revenue_amount_minor is null as is_waiting_for_rate,
    case when count(*) = 1 then max(rate) end as tier_rate,
    case
        when count(*) = 1 then {{ wide(ppm('max(rate)')) }}
        else sum({{ wide('part') }} * {{ ppm('rate') }})
    end as rate_sum_ppm,
    case when count(*) = 1 then 1 else {{ wide('whole_part') }} end as share_base,
    {{ band_list('band_number', 'rate', 'part', 'whole_part') }} as tier_bands
from banded
where
    part > 0
    and part <> whole_part
group by
    invoice_line_id, partner_id, component_id, tier_metric, tier_period, tier_mode, period_start_date,
    from_position, to_position, revenue_amount_minor, whole_part
