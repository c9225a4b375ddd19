-- Grain: one row per (invoice_line_id, partner_id, component_id) of a paid line of an attributed
-- customer under a recurring component; lines that no component can reach have component_id null. Partners
-- whom only a compared model would credit are judged too, and marked is_paying = false (A7).
-- Rules C1–C4, A5: reason says why the component pays nothing on the line; null means it pays.
with

run as (

    select * from {{ ref('stg_program__run') }}

),

lines as (

    select * from {{ ref('int_billing__paid_lines') }}

),

credited_lines as (

    select
        lines.*,
        'invoice_line' as source_type,
        lines.invoice_line_id as source_id,
        'customer' as scope_type,
        lines.customer_id as scope_id,
        partners.lead_id,
        partners.partner_id,
        partners.credit_ppm,
        partners.credits,
        partners.decided_by,
        partners.is_paying,
        partners.valid_at,
        partners.is_conversion_late
    from lines
    inner join {{ ref('int_attribution__customer_partners') }} as partners
        on lines.customer_id = partners.customer_id

),

governed as (

    {{ governing_versions('credited_lines', 'first_paid_date') }}

),

components as (

    select
        *,
        case when reactivation_mode in ('restart', 'stop') then reactivation_gap_days end as clock_gap_days
    from {{ ref('stg_program__components') }}
    where kind = 'recurring'

),

product_lists as (

    select
        plan_id,
        plan_version,
        component_id,
        bool_or(is_included) as has_include_list
    from {{ ref('stg_program__component_products') }}
    group by plan_id, plan_version, component_id

),

windowed as (

    select
        governed.*,
        components.component_id,
        components.component_order,
        components.rate,
        components.base_discounts,
        components.base_one_off,
        components.base_usage,
        components.base_setup,
        components.base_credits,
        components.base_shipping,
        components.duration_basis,
        components.duration_months,
        components.duration_is_for_life,
        components.first_payment_rate,
        components.tier_metric,
        components.tier_period,
        components.tier_mode,
        anchors.anchor_invoice_id as first_invoice_id,
        coalesce(clocks.anchor_date, anchors.anchor_date) as anchor_date,
        coalesce(clocks.anchor_invoice_id, anchors.anchor_invoice_id) as anchor_invoice_id,
        coalesce(components.reactivation_mode = 'stop' and clocks.clock_number > 1, false) as is_stopped,
        coalesce(
            components.duration_basis = 'service_period'
            and components.duration_months > 0
            and not components.duration_is_for_life
            and governed.service_end_date > governed.service_start_date,
            false
        ) as has_day_share,
        coalesce(product_lists.has_include_list, false) as has_include_list,
        listed.is_included,
        case
            when components.duration_is_for_life or components.duration_months = 0
                then date '2200-01-01'
            else {{ add_months('coalesce(clocks.anchor_date, anchors.anchor_date)', 'components.duration_months') }}
        end as duration_ends_date
    from governed
    left join components
        on
            governed.plan_id = components.plan_id
            and governed.plan_version = components.plan_version
    left join {{ ref('int_billing__anchors') }} as anchors
        on governed.customer_id = anchors.customer_id
    -- C4: the clock that runs when the line starts.
    left join {{ ref('int_billing__service_clocks') }} as clocks
        on
            governed.customer_id = clocks.customer_id
            and components.clock_gap_days = clocks.gap_days
            and governed.service_start_date >= clocks.starts_date
            and governed.service_start_date < clocks.ends_date
    left join product_lists
        on
            components.plan_id = product_lists.plan_id
            and components.plan_version = product_lists.plan_version
            and components.component_id = product_lists.component_id
    left join {{ ref('stg_program__component_products') }} as listed
        on
            components.plan_id = listed.plan_id
            and components.plan_version = listed.plan_version
            and components.component_id = listed.component_id
            and governed.product_id = listed.product_id

),

based as (

    select
        windowed.*,
        -- C2: base without tax; who bears the discount is the plan's choice.
        case
            when base_discounts = 'ignore' then gross_amount_minor
            else net_amount_minor
        end as line_base_amount_minor,
        -- C3: the share of the service days inside the duration window, as integers (M2).
        case
            when has_day_share
                then greatest(
                    {{ days_between('greatest(service_start_date, anchor_date)',
                                    'least(service_end_date, duration_ends_date)') }},
                    0
                )
            else 1
        end as days_in_window,
        case
            when has_day_share
                then {{ days_between('service_start_date', 'service_end_date') }}
            else 1
        end as days_in_period
    from windowed

)

select
    -- What is read after this, no more: every column is written and read for every paid line.
    invoice_line_id,
    invoice_id,
    customer_id,
    currency_code,
    gross_amount_minor,
    discount_amount_minor,
    net_amount_minor,
    tax_amount_minor,
    product_id,
    first_paid_at,
    first_paid_date,
    paid_amount_minor,
    paid_share,
    total_share,
    source_type,
    source_id,
    lead_id,
    partner_id,
    credit_ppm,
    credits,
    decided_by,
    is_paying,
    plan_id,
    plan_version,
    component_id,
    component_order,
    rate,
    first_payment_rate,
    tier_metric,
    tier_period,
    tier_mode,
    first_invoice_id,
    anchor_date,
    anchor_invoice_id,
    line_base_amount_minor,
    days_in_window,
    days_in_period,
    case
        when plan_version is null then 'no_plan'
        when component_id is null then 'no_component'
        when is_included = false or (has_include_list and is_included is null) then 'product_excluded'
        when
            (product_kind = 'one_off' and base_one_off = 'exclude')
            or (product_kind = 'usage' and base_usage = 'exclude')
            or (product_kind = 'setup' and base_setup = 'exclude')
            or (product_kind = 'shipping' and base_shipping = 'exclude')
            then 'kind_excluded'
        when gross_amount_minor < 0 and not is_proration and base_credits = 'exclude' then 'credit_excluded'
        when is_stopped then 'stopped_after_gap'
        when not duration_is_for_life and anchor_date is null then 'outside_duration'
        when not duration_is_for_life and duration_months = 0 and invoice_id <> anchor_invoice_id
            then 'outside_duration'
        when has_day_share and days_in_window = 0 then 'outside_duration'
        when
            not has_day_share
            and not duration_is_for_life
            and duration_months > 0
            and (service_start_date < anchor_date or service_start_date >= duration_ends_date)
            then 'outside_duration'
        when is_conversion_late then 'conversion_window'
    end as reason
from based
