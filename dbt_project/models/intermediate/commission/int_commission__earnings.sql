-- Grain: one row per earning (component_id, source_type, source_id, partner_id): what is earned on it
-- so far, in its own currency and in the partner's payout currency. Rules C1, C2, J6. amount_minor is the
-- partner's part; the rate's numerator and denominator are those of the whole, of which it is a part (M3).
-- minor_numerator ÷ minor_denominator is the exact cross rate; 1 ÷ 1 within one currency.
-- reason is set where the line waits for a rate, of its payout currency or of a tier by revenue: it earns nothing
-- until there is one.
with

run as (

    select * from {{ ref('stg_program__run') }}

),

earned as (

    select
        kind, component_id, component_order, source_type, source_id, partner_id, lead_id, customer_id,
        plan_id, plan_version, invoice_id, credit_ppm, credits, decided_by, earned_at, currency_code,
        payout_currency_code, base_amount_minor, line_base_amount_minor, rate, whole_amount_minor, amount_minor,
        rate_numerator, rate_denominator, total_share, paid_share, paid_amount_minor,
        net_amount_minor + tax_amount_minor as line_total_amount_minor,
        is_part_cut,
        is_waiting_for_rate,
        false as is_ruled_away
    from {{ ref('int_commission__recurring_amounts') }}
    where
        amount_minor <> 0
        or (is_waiting_for_rate and is_paying)

    union all

    select
        'earning', component_id, component_order, source_type, source_id, partner_id, lead_id, customer_id,
        plan_id, plan_version, null, credit_ppm, credits, decided_by, earned_at, currency_code,
        payout_currency_code, base_amount_minor, base_amount_minor, rate, whole_amount_minor, amount_minor,
        {{ wide('whole_amount_minor') }}, {{ wide('1') }}, 1, 1, null,
        null, false, false, false
    from {{ ref('int_commission__judged_events') }}
    where
        reason is null
        and is_paying

    union all

    -- A6: what a partner had earned before a ruling took its credit stays explained, and earns nothing more.
    select
        'earning', amounts.component_id, amounts.component_order, amounts.source_type, amounts.source_id,
        amounts.partner_id, amounts.lead_id, amounts.customer_id, amounts.plan_id, amounts.plan_version,
        amounts.invoice_id, amounts.credit_ppm, amounts.credits, amounts.decided_by, amounts.earned_at,
        amounts.currency_code, amounts.payout_currency_code, amounts.base_amount_minor,
        amounts.line_base_amount_minor, amounts.rate, amounts.whole_amount_minor, amounts.amount_minor,
        amounts.rate_numerator, amounts.rate_denominator, amounts.total_share, amounts.paid_share,
        amounts.paid_amount_minor, amounts.net_amount_minor + amounts.tax_amount_minor,
        amounts.is_part_cut, amounts.is_waiting_for_rate, true
    from {{ ref('int_commission__recurring_amounts') }} as amounts
    inner join {{ ref('int_journal__ruled_groups') }} as ruled_groups
        on
            amounts.component_id = ruled_groups.component_id
            and amounts.source_type = ruled_groups.source_type
            and amounts.source_id = ruled_groups.source_id
            and amounts.partner_id = ruled_groups.partner_id
    where
        amounts.amount_minor = 0
        and not (amounts.is_waiting_for_rate and amounts.is_paying)

    union all

    select
        'earning', events.component_id, events.component_order, events.source_type, events.source_id,
        events.partner_id, events.lead_id, events.customer_id, events.plan_id, events.plan_version,
        null, events.credit_ppm, events.credits, events.decided_by, events.earned_at,
        events.currency_code, events.payout_currency_code, events.base_amount_minor,
        events.base_amount_minor, events.rate, events.whole_amount_minor, events.amount_minor,
        {{ wide('events.whole_amount_minor') }}, {{ wide('1') }}, 1, 1,
        null, null, false, false, true
    from {{ ref('int_commission__judged_events') }} as events
    inner join {{ ref('int_journal__ruled_groups') }} as ruled_groups
        on
            events.component_id = ruled_groups.component_id
            and events.source_type = ruled_groups.source_type
            and events.source_id = ruled_groups.source_id
            and events.partner_id = ruled_groups.partner_id
    where
        events.reason is null
        and not events.is_paying

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
        when dated.is_ruled_away then 'ruled_away'
        when dated.is_waiting_for_rate then 'no_fx_rate'
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
