-- Grain: one row per (invoice_line_id, partner_id, component_id) that a cap of its version counts: what each cap cuts
-- of the whole line, and the programme's month of the partner's part (C6, decision 0038).
with

caps as (

    select
        plan_id,
        plan_version,
        component_id,
        currency_code,
        max(amount_minor) filter (where amount_role = 'per_invoice') as invoice_cap_minor,
        max(amount_minor) filter (where amount_role = 'per_customer') as customer_cap_minor,
        max(amount_minor) filter (where amount_role = 'per_partner_month') as partner_month_cap_minor,
        max(amount_minor) filter (where amount_role = 'per_programme_month') as programme_month_cap_minor
    from {{ ref('stg_program__component_amounts') }}
    where amount_role in ('per_invoice', 'per_customer', 'per_partner_month', 'per_programme_month')
    group by plan_id, plan_version, component_id, currency_code

),

lines as materialized (

    select
        whole_lines.invoice_line_id,
        whole_lines.partner_id,
        whole_lines.component_id,
        whole_lines.plan_id,
        whole_lines.plan_version,
        whole_lines.invoice_id,
        whole_lines.customer_id,
        whole_lines.currency_code,
        whole_lines.first_paid_at as earned_at,
        {{ period_start('whole_lines.first_paid_date', "'month'") }} as month_start_date,
        whole_lines.credit_ppm,
        whole_lines.credits,
        whole_lines.whole_line_amount_minor,
        caps.invoice_cap_minor,
        caps.customer_cap_minor,
        caps.partner_month_cap_minor,
        caps.programme_month_cap_minor
    from {{ ref('int_commission__whole_lines') }} as whole_lines
    inner join caps
        on
            whole_lines.plan_id = caps.plan_id
            and whole_lines.plan_version = caps.plan_version
            and whole_lines.component_id = caps.component_id
            and whole_lines.currency_code = caps.currency_code
    where
        whole_lines.is_paying
        and not whole_lines.is_waiting_for_rate

),

within_invoice as (

    {{ clamped(
        'lines', 'whole_line_amount_minor', 'invoice_cap_minor',
        ['partner_id', 'plan_id', 'component_id', 'invoice_id'], 'invoice_cut_minor'
    ) }}

),

invoice_left as materialized (

    select *, whole_line_amount_minor - invoice_cut_minor as invoice_left_minor
    from within_invoice

),

within_customer as (

    {{ clamped(
        'invoice_left', 'invoice_left_minor', 'customer_cap_minor',
        ['partner_id', 'plan_id', 'component_id', 'customer_id'], 'customer_cut_minor'
    ) }}

),

customer_left as materialized (

    select *, invoice_left_minor - customer_cut_minor as customer_left_minor
    from within_customer

),

within_partner_month as (

    {{ clamped(
        'customer_left', 'customer_left_minor', 'partner_month_cap_minor',
        ['partner_id', 'plan_id', 'component_id', 'month_start_date'], 'partner_month_cut_minor'
    ) }}

),

parts as materialized (

    select
        *,
        customer_left_minor - partner_month_cut_minor as left_amount_minor,
        {{ split_share('customer_left_minor - partner_month_cut_minor', 'credits', 'partner_id', 'credit_ppm') }}
            as part_amount_minor
    from within_partner_month

),

-- A shared line counts once in the programme's month: each partner's part.
within_programme_month as (

    {{ clamped(
        'parts', 'part_amount_minor', 'programme_month_cap_minor',
        ['plan_id', 'component_id', 'month_start_date'], 'programme_month_cut_minor'
    ) }}

),

cuts as (

    select
        *,
        invoice_cut_minor + customer_cut_minor + partner_month_cut_minor as line_cut_minor,
        part_amount_minor - programme_month_cut_minor as part_left_minor,
        greatest(invoice_cut_minor, customer_cut_minor, partner_month_cut_minor, programme_month_cut_minor)
            as largest_cut_minor
    from within_programme_month

)

select
    invoice_line_id,
    partner_id,
    component_id,
    plan_id,
    plan_version,
    customer_id,
    currency_code,
    earned_at,
    whole_line_amount_minor,
    line_cut_minor,
    left_amount_minor,
    part_amount_minor,
    programme_month_cut_minor as part_cut_minor,
    part_left_minor,
    case
        when largest_cut_minor = 0 then null
        when invoice_cut_minor = largest_cut_minor then 'per_invoice'
        when customer_cut_minor = largest_cut_minor then 'per_customer'
        when partner_month_cut_minor = largest_cut_minor then 'per_partner_month'
        else 'per_programme_month'
    end as cut_by
from cuts
