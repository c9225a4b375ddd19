-- Grain: one row per exception about commissions that wait, referrers that cannot be right and balances that fell
-- below zero (kind, subject, currency_code, what_to_do).
{{ config(tags=['payouts']) }}

with recursive

run as (

    select * from {{ ref('stg_program__run') }}

),

waiting_for_rate as (

    select
        'missing_fx_rate' as kind,
        'error' as severity,
        earnings.source_type || ':' || earnings.source_id || ':' || earnings.component_id
        || ':' || earnings.partner_id as subject,
        earnings.amount_minor,
        earnings.currency_code,
        cast(null as varchar) as owner,
        earnings.earned_at as opened_at,
        'no rate from ' || earnings.currency_code || ' to '
        || case when earnings.is_waiting_for_rate then run.reporting_currency_code else earnings.payout_currency_code end
        || ' within 7 days up to ' || cast(earnings.earned_date as varchar) || '; deliver fx_rates for it' as what_to_do
    from {{ ref('int_commission__earnings') }} as earnings
    cross join run
    where earnings.reason = 'no_fx_rate'

    union all

    select
        'missing_fx_rate', 'error',
        shares.source_type || ':' || shares.source_id || ':' || shares.component_id || ':' || shares.partner_id,
        shares.amount_minor, shares.currency_code, null, shares.earned_at,
        'no rate from ' || shares.currency_code || ' to ' || shares.payout_currency_code
        || ' within 7 days up to ' || cast(shares.earned_date as varchar) || '; deliver fx_rates for it'
    from {{ ref('int_commission__referrals') }} as shares
    where shares.reason = 'no_fx_rate'

),

waiting_bonuses as (

    select
        bonuses.reason, 'error',
        'period:' || bonuses.source_id || ':' || bonuses.component_id || ':' || bonuses.partner_id,
        null, bonuses.payout_currency_code, null, bonuses.earned_at,
        'component ' || bonuses.component_id || ' names no amount in ' || bonuses.payout_currency_code
        || '; add it to a new plan version'
    from {{ ref('int_commission__bonuses') }} as bonuses
    where bonuses.reason is not null

),

-- C7: who referred whom, where referrals are paid at all; is_known says whether the referrer is a partner.
referred as (

    select
        partners.partner_id,
        partners.referred_by_partner_id,
        partners.joined_at,
        partners.manager_email,
        referrers.partner_id is not null as is_known
    from {{ ref('int_sources__partners') }} as partners
    left join {{ ref('int_sources__partners') }} as referrers
        on partners.referred_by_partner_id = referrers.partner_id
    where
        partners.referred_by_partner_id is not null
        and exists (
            select 1
            from {{ ref('stg_program__components') }} as components
            where components.kind = 'partner_referral'
        )

),

-- Everybody above a partner; `union` ends where a circle closes.
above as (

    select partner_id, referred_by_partner_id as above_partner_id
    from referred

    union

    select above.partner_id, referred.referred_by_partner_id
    from above
    inner join referred
        on above.above_partner_id = referred.partner_id

),

referred_by_nobody_known as (

    select
        'referral_by_unknown_partner', 'warning', 'partner:' || referred.partner_id, null, null,
        referred.manager_email, run.as_of_end_at,
        'referred_by names ' || referred.referred_by_partner_id
        || ', which is no partner; correct it or deliver that partner, or nobody earns on this one'
    from referred
    cross join run
    where not referred.is_known

),

referred_in_a_circle as (

    select
        'referral_circle', 'warning', 'partner:' || referred.partner_id, null, null,
        referred.manager_email, run.as_of_end_at,
        case
            when referred.referred_by_partner_id = referred.partner_id
                then 'referred_by names the partner itself, which earns nothing by it; correct it or leave it empty'
            else 'referred_by names ' || referred.referred_by_partner_id
                || ', which was itself referred by this partner, directly or through others; correct one of them'
        end
    from referred
    inner join above
        on
            referred.partner_id = above.partner_id
            and referred.partner_id = above.above_partner_id
    cross join run

),

-- C7: without the day of joining nobody knows how long a referrer earns.
referred_without_day as (

    select
        'referral_without_joining_day', 'warning', 'partner:' || referred.partner_id, null, null,
        referred.manager_email, run.as_of_end_at,
        'partner ' || referred.referred_by_partner_id || ' referred this partner; deliver joined_at, or nothing is'
        || ' earned on it'
    from referred
    cross join run
    where
        referred.joined_at is null
        and referred.is_known
        and referred.referred_by_partner_id <> referred.partner_id

),

-- Partners whom only a compared model would credit wait for nothing (A7).
waiting_events as (

    select
        events.reason, 'error',
        events.source_type || ':' || events.source_id || ':' || events.component_id
        || ':' || events.partner_id,
        null, events.currency_code, null, events.event_at,
        case events.reason
            when 'no_amount_for_currency'
                then 'component ' || events.component_id || ' names no amount in ' || events.payout_currency_code
                || '; add it to a new plan version'
            else 'the won deal has no amount or currency; complete it in the CRM'
        end
    from {{ ref('int_commission__judged_events') }} as events
    where
        events.reason in ('no_amount_for_currency', 'deal_without_amount')
        and events.is_paying

),

-- T2: with the day of joining as the valid event.
referrers_without_plan as (

    select distinct
        'no_plan', 'warning', 'partner:' || referrers.partner_id, null, null, null, run.as_of_end_at,
        'no plan version was in force on ' || cast({{ local_date('partners.joined_at') }} as varchar)
        || ', when a partner joined that it referred; date the plan earlier or add an override'
    from {{ ref('int_sources__partners') }} as partners
    inner join {{ ref('int_sources__partners') }} as referrers
        on
            partners.referred_by_partner_id = referrers.partner_id
            and partners.partner_id <> referrers.partner_id
    cross join run
    inner join {{ ref('int_terms__partner_plans') }} as plans
        on
            referrers.partner_id = plans.partner_id
            and {{ local_date('partners.joined_at') }} >= plans.valid_from_date
            and {{ local_date('partners.joined_at') }} < plans.valid_to_date
    left join {{ ref('stg_program__plan_versions') }} as versions
        on
            plans.plan_id = versions.plan_id
            and {{ local_date('partners.joined_at') }} >= versions.valid_from_date
            and {{ local_date('partners.joined_at') }} < versions.valid_to_date
    where
        versions.plan_id is null
        and exists (
            select 1
            from {{ ref('stg_program__components') }} as components
            where
                components.kind = 'partner_referral'
                and components.plan_id = plans.plan_id
        )

),

missing_plans as (

    select
        'no_plan', 'error', 'partner:' || lead_plans.partner_id, null, null, null,
        max(run.as_of_end_at),
        'no plan version was in force when the lead became valid; date the plan earlier or add an override'
    from {{ ref('int_terms__lead_plans') }} as lead_plans
    cross join run
    where
        lead_plans.plan_version is null
        and lead_plans.is_paying
    group by lead_plans.partner_id

),

negative_balances as (

    select
        'negative_balance', 'warning', 'partner:' || entries.partner_id,
        cast(sum(entries.payout_amount_minor) as bigint), entries.payout_currency_code, null,
        max(run.as_of_end_at),
        'more was taken back than earned; it is offset against later earnings'
    from {{ ref('int_payouts__entry_states') }} as entries
    cross join run
    group by entries.partner_id, entries.payout_currency_code
    having sum(entries.payout_amount_minor) < 0

)

select * from waiting_for_rate
union all
select * from waiting_events
union all
select * from waiting_bonuses
union all
select * from referred_by_nobody_known
union all
select * from referred_in_a_circle
union all
select * from referred_without_day
union all
select * from referrers_without_plan
union all
select * from missing_plans
union all
select * from negative_balances
