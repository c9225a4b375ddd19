-- Grain: one row per earning of a referred partner of which a referrer has a share (component_id, source_id,
-- partner_id): partner_id is the referrer, source_id the referred earning's commission_id (C7, T2, decision 0041).
-- One level: shares are of recurring and event earnings alone. reason is set where the share waits for a rate.
with

run as (

    select * from {{ ref('stg_program__run') }}

),

referred as (

    select
        partners.partner_id as referred_partner_id,
        partners.referred_by_partner_id as partner_id,
        {{ local_date('partners.joined_at') }} as joined_date
    from {{ ref('int_sources__partners') }} as partners
    cross join run
    where exists (
        select 1
        from {{ ref('stg_program__components') }} as components
        where components.kind = 'partner_referral'
    )

),

posted_shares as (

    select
        entry_id,
        source_id,
        partner_id,
        plan_id,
        payout_currency_code,
        effective_date,
        segment,
        {{ json_text('explanation', 'referred_partner_id') }} as referred_partner_id,
        cast({{ json_text('explanation', 'joined_date') }} as date) as joined_date,
        {'segment': segment, 'partner_id': partner_id, 'ordinal': ordinal} as entry_age
    from {{ ref('stg_control__journal_entries') }}
    where
        entry_kind = 'earning'
        and source_type = 'commission'

),

-- What was posted keeps its referrer, payout currency and day of joining, of each the first: the directory says only
-- today's (decision 0018).
first_shares as (

    select
        source_id,
        min_by(partner_id, entry_age) as partner_id,
        min_by(payout_currency_code, entry_age) as payout_currency_code,
        min_by(joined_date, entry_age) as joined_date
    from posted_shares
    group by source_id

),

-- T2: the plan under which the first share on this partner was posted; what an override paid goes by its dates.
kept_plans as (

    select
        entries.partner_id,
        entries.referred_partner_id,
        min_by(
            entries.plan_id,
            {'segment': entries.segment, 'effective_date': entries.effective_date, 'entry_id': entries.entry_id}
        ) as plan_id
    from posted_shares as entries
    left join {{ ref('stg_program__overrides') }} as overrides
        on {{ paid_by_override('entries', 'overrides') }}
    where overrides.partner_id is null
    group by entries.partner_id, entries.referred_partner_id

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

identified as (

    select
        'commission' as source_type,
        {{ uuid5(natural_key('earnings.')) }} as source_id,
        earnings.partner_id as referred_partner_id,
        earnings.component_id as referred_component_id,
        earnings.source_type as referred_source_type,
        earnings.source_id as referred_source_id,
        earnings.amount_minor as referred_amount_minor,
        earnings.currency_code,
        earnings.earned_at,
        earnings.earned_date
    from earnings
    where
        earnings.partner_id in (select referred_partner_id from referred where partner_id is not null)
        or earnings.partner_id in (select referred_partner_id from posted_shares)

),

referrers as (

    select
        identified.*,
        coalesce(first_shares.joined_date, referred.joined_date) as joined_date,
        first_shares.partner_id,
        first_shares.payout_currency_code
    from identified
    inner join first_shares
        on identified.source_id = first_shares.source_id
    left join referred
        on identified.referred_partner_id = referred.referred_partner_id

    union all

    select
        identified.*,
        referred.joined_date,
        referred.partner_id,
        null
    from identified
    inner join referred
        on identified.referred_partner_id = referred.referred_partner_id
    left join first_shares
        on identified.source_id = first_shares.source_id
    where
        referred.partner_id <> referred.referred_partner_id
        and first_shares.source_id is null

),

planned as (

    select
        referrers.*,
        kept_plans.plan_id as kept_plan_id,
        coalesce(plans.override_plan_id, kept_plans.plan_id, plans.plan_id) as joining_plan_id
    from referrers
    inner join {{ ref('int_terms__partner_plans') }} as plans
        on
            referrers.partner_id = plans.partner_id
            and referrers.joined_date >= plans.valid_from_date
            and referrers.joined_date < plans.valid_to_date
    left join kept_plans
        on
            referrers.partner_id = kept_plans.partner_id
            and referrers.referred_partner_id = kept_plans.referred_partner_id

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
                current_plans.override_plan_id, joined.kept_plan_id, current_plans.plan_id
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
        governed.source_type, governed.source_id, governed.partner_id, governed.referred_partner_id,
        governed.referred_component_id, governed.referred_source_type, governed.referred_source_id,
        governed.referred_amount_minor, governed.currency_code, governed.earned_at, governed.earned_date,
        governed.joined_date, governed.plan_id, governed.plan_version, components.component_id,
        coalesce(governed.payout_currency_code, currencies.payout_currency_code) as payout_currency_code
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
    components.component_order,
    shares.source_type,
    shares.source_id,
    shares.partner_id,
    shares.referred_partner_id,
    shares.referred_component_id,
    shares.referred_source_type,
    shares.referred_source_id,
    shares.referred_amount_minor,
    shares.joined_date,
    shares.plan_id,
    shares.plan_version,
    components.rate,
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
    {{ round_ratio(wide('shares.referred_amount_minor') ~ ' * ' ~ ppm('components.rate'), wide('1000000')) }}
        as amount_minor,
    case
        when shares.currency_code <> shares.payout_currency_code and rates.minor_numerator is null
            then 'no_fx_rate'
    end as reason
from shares
inner join components
    on
        shares.plan_id = components.plan_id
        and shares.plan_version = components.plan_version
        and shares.component_id = components.component_id
inner join {{ ref('stg_program__plan_versions') }} as versions
    on
        shares.plan_id = versions.plan_id
        and shares.plan_version = versions.plan_version
left join {{ ref('int_fx__cross_rates') }} as rates
    on
        shares.currency_code = rates.from_currency_code
        and shares.payout_currency_code = rates.to_currency_code
        and shares.earned_date = rates.rate_for_date
