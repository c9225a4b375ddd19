-- Grain: one row per event that counts towards bonuses (partner_id, metric, event_id): a lead that became valid, a
-- customer's first payment, a paid line with its revenue in the reporting currency. All paid lines of credited leads
-- count, whatever earns on them (C7, decision 0040).
with

run as (

    select * from {{ ref('stg_program__run') }}

),

metrics as (

    select distinct bonus_metric as metric
    from {{ ref('stg_program__components') }}
    where kind = 'bonus'

),

credited_lines as (

    select
        partners.partner_id,
        lines.*,
        case
            when lines.currency_code = run.reporting_currency_code then lines.net_amount_minor
            else {{ round_ratio(
                wide('lines.net_amount_minor') ~ ' * rates.minor_numerator', 'rates.minor_denominator'
            ) }}
        end as revenue_amount_minor
    from {{ ref('int_billing__paid_lines') }} as lines
    inner join {{ ref('int_attribution__customer_credits') }} as partners
        on lines.customer_id = partners.customer_id
    cross join run
    left join {{ ref('int_fx__reporting_rates') }} as rates
        on
            lines.currency_code = rates.from_currency_code
            and lines.first_paid_date = rates.rate_for_date
    where exists (select 1 from metrics)

),

events as (

    select
        credits.partner_id,
        'conversions' as metric,
        credits.lead_id as event_id,
        credits.valid_at as event_at,
        cast(1 as bigint) as weight
    from {{ ref('int_attribution__credits') }} as credits

    union all

    select
        credited_lines.partner_id,
        'customers',
        credited_lines.customer_id,
        credited_lines.first_paid_at,
        1
    from credited_lines
    inner join {{ ref('int_billing__anchors') }} as anchors
        on credited_lines.invoice_line_id = anchors.anchor_invoice_line_id

    union all

    select partner_id, 'revenue', invoice_line_id, first_paid_at, revenue_amount_minor
    from credited_lines
    where revenue_amount_minor is not null

)

select
    events.*,
    {{ local_date('events.event_at') }} as event_date
from events
inner join metrics
    on events.metric = metrics.metric
cross join run
