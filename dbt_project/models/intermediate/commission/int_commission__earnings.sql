-- Grain: one row per earning (component_id, source_type, source_id, partner_id): what is earned on it
-- so far, in its own currency and in the partner's payout currency. Rules C1, C2, J6.
-- minor_numerator ÷ minor_denominator is the exact cross rate; 1 ÷ 1 within one currency.
-- reason is set where the line waits for a rate: it earns nothing until there is one.
with

run as (

    select * from {{ ref('stg_program__run') }}

),

earned as (

    select
        kind, component_id, component_order, source_type, source_id, partner_id, lead_id, customer_id,
        plan_id, plan_version, invoice_id, credit_ppm, earned_at, currency_code, payout_currency_code,
        base_amount_minor, line_base_amount_minor, rate, amount_minor,
        rate_numerator, rate_denominator, total_share, paid_share, paid_amount_minor,
        net_amount_minor + tax_amount_minor as line_total_amount_minor
    from {{ ref('int_commission__recurring_amounts') }}
    where amount_minor <> 0

    union all

    select
        'earning', component_id, component_order, source_type, source_id, partner_id, lead_id, customer_id,
        plan_id, plan_version, null, credit_ppm, earned_at, currency_code, payout_currency_code,
        base_amount_minor, base_amount_minor, rate, amount_minor,
        {{ wide('amount_minor') }}, {{ wide('1') }}, 1, 1, null,
        null
    from {{ ref('int_commission__judged_events') }}
    where reason is null

),

dated as (

    select
        earned.*,
        {{ local_date('earned.earned_at') }} as earned_date
    from earned
    cross join run

)

select
    dated.*,
    versions.hold_days,
    versions.hold_after,
    rates.rate_date as fx_rate_date,
    rates.from_rate as fx_from_rate,
    rates.to_rate as fx_to_rate,
    coalesce(rates.minor_numerator, 1) as minor_numerator,
    coalesce(rates.minor_denominator, 1) as minor_denominator,
    case
        when dated.currency_code <> dated.payout_currency_code and rates.minor_numerator is null
            then 'no_fx_rate'
    end as reason
from dated
inner join {{ ref('stg_program__plan_versions') }} as versions
    on
        dated.plan_id = versions.plan_id
        and dated.plan_version = versions.plan_version
left join {{ ref('int_fx__cross_rates') }} as rates
    on
        dated.currency_code = rates.from_currency_code
        and dated.payout_currency_code = rates.to_currency_code
        and dated.earned_date = rates.rate_for_date
