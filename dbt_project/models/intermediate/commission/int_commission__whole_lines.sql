-- Grain: one row per (invoice_line_id, partner_id, component_id) on which a recurring component pays: what the whole
-- line brings, as if it were paid in full and one partner had it all, before caps (C2, C7, decision 0038).
-- whole_numerator ÷ whole_denominator is exact; whole_line_amount_minor is it rounded, what caps count.
with

paying as (

    select * from {{ ref('int_commission__judged_lines') }}
    where reason is null

),

-- C7: the first condition that matches counts.
conditions as (

    select
        plan_id,
        plan_version,
        component_id,
        country,
        min_by(rate, condition_order) as rate
    from {{ ref('stg_program__component_conditions') }}
    group by plan_id, plan_version, component_id, country

),

customers as (

    select customer_id, upper(country_code) as country
    from {{ ref('int_sources__customers') }}
    where exists (select 1 from conditions)

),

limits as (

    select
        plan_id,
        plan_version,
        component_id,
        currency_code,
        max(amount_minor) filter (where amount_role = 'minimum') as minimum_amount_minor,
        max(amount_minor) filter (where amount_role = 'maximum') as maximum_amount_minor
    from {{ ref('stg_program__component_amounts') }}
    where amount_role in ('minimum', 'maximum')
    group by plan_id, plan_version, component_id, currency_code

),

-- What was posted keeps its country (decision 0018).
located as (

    select
        paying.*,
        coalesce(posted_earnings.customer_country, customers.country) as customer_country
    from paying
    left join customers
        on paying.customer_id = customers.customer_id
    left join {{ ref('int_terms__posted_earnings') }} as posted_earnings
        on
            paying.source_type = posted_earnings.source_type
            and paying.source_id = posted_earnings.source_id
            and paying.partner_id = posted_earnings.partner_id

),

-- C7: the first shape that applies gives the rate.
chosen as (

    select
        located.* exclude (rate),
        case
            when located.first_payment_rate is not null and located.invoice_id = located.first_invoice_id
                then 'first_payment'
            when conditions.rate is not null then 'condition'
            when product_rates.rate is not null then 'product'
            when tier_rates.share_base is not null then 'tier'
            else 'rate'
        end as rate_from,
        coalesce(
            case when located.invoice_id = located.first_invoice_id then located.first_payment_rate end,
            conditions.rate,
            product_rates.rate,
            case when tier_rates.share_base is null then located.rate end
        ) as fixed_rate,
        tier_rates.tier_rate,
        tier_rates.tier_period_label,
        tier_rates.from_position as tier_from_position,
        tier_rates.to_position as tier_to_position,
        tier_rates.tier_bands,
        tier_rates.rate_sum_ppm,
        tier_rates.share_base,
        coalesce(tier_rates.is_waiting_for_rate, false) as is_tier_waiting,
        limits.minimum_amount_minor,
        limits.maximum_amount_minor
    from located
    left join conditions
        on
            located.plan_id = conditions.plan_id
            and located.plan_version = conditions.plan_version
            and located.component_id = conditions.component_id
            and located.customer_country = conditions.country
    left join {{ ref('stg_program__component_product_rates') }} as product_rates
        on
            located.plan_id = product_rates.plan_id
            and located.plan_version = product_rates.plan_version
            and located.component_id = product_rates.component_id
            and located.product_id = product_rates.product_id
    left join {{ ref('int_commission__tier_rates') }} as tier_rates
        on
            located.invoice_line_id = tier_rates.invoice_line_id
            and located.partner_id = tier_rates.partner_id
            and located.component_id = tier_rates.component_id
    left join limits
        on
            located.plan_id = limits.plan_id
            and located.plan_version = limits.plan_version
            and located.component_id = limits.component_id
            and located.currency_code = limits.currency_code

),

-- Base and revenue of a line are the same number within the reporting currency: what they share is cancelled first.
reduced as (

    select
        chosen.*,
        case
            when rate_from = 'tier' and line_base_amount_minor <> 0
                then {{ common_divisor('line_base_amount_minor', 'share_base') }}
            else 1
        end as divisor
    from chosen

),

rated as (

    select
        reduced.* exclude (divisor),
        coalesce(fixed_rate, tier_rate) as rate,
        rate_from = 'tier' and is_tier_waiting and line_base_amount_minor <> 0 as is_waiting_for_rate,
        case
            when rate_from = 'tier'
                then sign(line_base_amount_minor)
                    * {{ whole_part(wide('abs(line_base_amount_minor)'), 'divisor') }} * days_in_window * rate_sum_ppm
            else {{ wide('line_base_amount_minor') }} * days_in_window * {{ ppm('fixed_rate') }}
        end as rate_numerator,
        {{ wide('days_in_period') }} * 1000000
        * case when rate_from = 'tier' then {{ whole_part('share_base', 'divisor') }} else 1 end as rate_denominator
    from reduced

),

-- C7: on the whole positive line; the maximum has the last word.
limited as (

    select
        rated.*,
        case
            when line_base_amount_minor <= 0 then null
            when
                greatest(rate_numerator, {{ wide('minimum_amount_minor') }} * rate_denominator)
                > {{ wide('maximum_amount_minor') }} * rate_denominator
                then 'maximum'
            when rate_numerator < {{ wide('minimum_amount_minor') }} * rate_denominator then 'minimum'
        end as limited_by
    from rated

)

select
    limited.* exclude (
        reason, product_id, first_invoice_id, anchor_date, anchor_invoice_id, first_payment_rate, fixed_rate,
        tier_period, tier_rate, rate_sum_ppm, share_base, is_tier_waiting, rate_numerator, rate_denominator
    ),
    case limited_by
        when 'maximum' then {{ wide('maximum_amount_minor') }}
        when 'minimum' then {{ wide('minimum_amount_minor') }}
        else rate_numerator
    end as whole_numerator,
    case when limited_by is null then rate_denominator else 1 end as whole_denominator,
    {{ round_ratio(
        'case limited_by when \'maximum\' then ' ~ wide('maximum_amount_minor')
        ~ ' when \'minimum\' then ' ~ wide('minimum_amount_minor') ~ ' else rate_numerator end',
        'case when limited_by is null then rate_denominator else 1 end'
    ) }} as whole_line_amount_minor
from limited
