-- Grain: one row per earning of a referred partner of which a referrer has a share (component_id, source_id,
-- partner_id): partner_id is the referrer, source_id the referred earning's commission_id (C7, T2, decision 0041).
-- One level: shares are of recurring and event earnings alone. reason is set where the share waits for a rate.
with

run as (

    select * from {{ ref('stg_program__run') }}

),

referred as (

    select
        referred.partner_id as referred_partner_id,
        referred.referred_by_partner_id as partner_id,
        {{ local_date('referred.joined_at') }} as joined_date
    from {{ ref('int_sources__partners') }} as referred
    cross join run
    where
        referred.referred_by_partner_id <> referred.partner_id
        and referred.joined_at is not null
        and exists (select 1 from {{ ref('stg_program__components') }} as components where components.kind = 'partner_referral')

),

earnings as (

    select
        'earning' as kind,
        '' as cause_type,
        '' as cause_id,
        *
    from {{ ref('int_commission__earnings') }}
    where reason is null

),

shared as (

    select
        referred.partner_id,
        referred.referred_partner_id,
        referred.joined_date,
        earnings.component_id as referred_component_id,
        earnings.source_type as referred_source_type,
        earnings.source_id as referred_source_id,
        'commission' as source_type,
        {{ uuid5(natural_key('earnings.')) }} as source_id,
        earnings.amount_minor as referred_amount_minor,
        earnings.currency_code,
        earnings.earned_at,
        earnings.earned_date
    from earnings
    inner join referred
        on earnings.partner_id = referred.referred_partner_id

),

-- What was posted keeps the plan it was posted under (decision 0018).
planned as (

    select
        shared.*,
        posted_earnings.payout_currency_code as posted_currency_code,
        posted_earnings.plan_id as posted_plan_id,
        coalesce(plans.override_plan_id, posted_earnings.plan_id, plans.plan_id) as joining_plan_id
    from shared
    inner join {{ ref('int_terms__partner_plans') }} as plans
        on
            shared.partner_id = plans.partner_id
            and shared.joined_date >= plans.valid_from_date
            and shared.joined_date < plans.valid_to_date
    left join {{ ref('int_terms__posted_earnings') }} as posted_earnings
        on
            shared.source_type = posted_earnings.source_type
            and shared.source_id = posted_earnings.source_id
            and shared.partner_id = posted_earnings.partner_id

),

-- T2: with the day of joining as the valid event.
joined as (

    select
        planned.*,
        versions.plan_id as pinned_plan_id,
        versions.plan_version as pinned_plan_version,
        case when versions.terms_follow = 'current' then planned.partner_id end as current_terms_partner_id
    from planned
    inner join {{ ref('stg_program__plan_versions') }} as versions
        on
            planned.joining_plan_id = versions.plan_id
            and planned.joined_date >= versions.valid_from_date
            and planned.joined_date < versions.valid_to_date

),

governed as (

    select
        joined.*,
        case
            when joined.current_terms_partner_id is not null then current_versions.plan_id
            else joined.pinned_plan_id
        end as plan_id,
        case
            when joined.current_terms_partner_id is not null then current_versions.plan_version
            else joined.pinned_plan_version
        end as plan_version
    from joined
    left join {{ ref('int_terms__partner_plans') }} as current_plans
        on
            joined.current_terms_partner_id = current_plans.partner_id
            and joined.earned_date >= current_plans.valid_from_date
            and joined.earned_date < current_plans.valid_to_date
    left join {{ ref('stg_program__plan_versions') }} as current_versions
        on
            coalesce(
                current_plans.override_plan_id, joined.posted_plan_id, current_plans.plan_id
            ) = current_versions.plan_id
            and joined.earned_date >= current_versions.valid_from_date
            and joined.earned_date < current_versions.valid_to_date

),

components as (

    select * from {{ ref('stg_program__components') }}
    where kind = 'partner_referral'

),

shares as (

    select
        governed.*,
        components.component_id,
        components.component_order,
        components.rate,
        coalesce(governed.posted_currency_code, currencies.payout_currency_code) as payout_currency_code
    from governed
    inner join components
        on
            governed.plan_id = components.plan_id
            and governed.plan_version = components.plan_version
            and governed.earned_date >= governed.joined_date
            and governed.earned_date < {{ add_months('governed.joined_date', 'components.referral_months') }}
    inner join {{ ref('int_commission__payout_currencies') }} as currencies
        on governed.partner_id = currencies.partner_id

)

select
    shares.component_id,
    shares.component_order,
    shares.source_type,
    shares.source_id,
    shares.partner_id,
    shares.referred_partner_id,
    shares.referred_component_id,
    shares.referred_source_type,
    shares.referred_source_id,
    shares.referred_amount_minor,
    shares.plan_id,
    shares.plan_version,
    shares.rate,
    shares.currency_code,
    shares.payout_currency_code,
    shares.earned_at,
    shares.earned_date,
    versions.hold_days,
    versions.hold_after,
    rates.rate_date as fx_rate_date,
    rates.from_rate as fx_from_rate,
    rates.to_rate as fx_to_rate,
    coalesce(rates.minor_numerator, 1) as minor_numerator,
    coalesce(rates.minor_denominator, 1) as minor_denominator,
    {{ round_ratio(wide('shares.referred_amount_minor') ~ ' * ' ~ ppm('shares.rate'), wide('1000000')) }}
        as amount_minor,
    case
        when shares.currency_code <> shares.payout_currency_code and rates.minor_numerator is null
            then 'no_fx_rate'
    end as reason
from shares
inner join {{ ref('stg_program__plan_versions') }} as versions
    on
        shares.plan_id = versions.plan_id
        and shares.plan_version = versions.plan_version
left join {{ ref('int_fx__cross_rates') }} as rates
    on
        shares.currency_code = rates.from_currency_code
        and shares.payout_currency_code = rates.to_currency_code
        and shares.earned_date = rates.rate_for_date
