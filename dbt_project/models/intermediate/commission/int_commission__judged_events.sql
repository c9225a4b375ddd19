-- Grain: one row per (lead_id, partner_id, component_id, source_type, source_id, stage) of an event component whose
-- trigger happened.
-- Rule C1: once per lead and trigger, earned at the trigger but not before the lead is valid, and by
-- rate not before the first deal is won. reason says why nothing is earned; null means it pays, of the stages of one
-- source object at most one (J2, decision 0017).
with

run as (

    select * from {{ ref('stg_program__run') }}

),

triggers as (

    select
        partners.*,
        'event' as scope_type,
        partners.stage || ':' || partners.source_type || ':' || partners.source_id as scope_id,
        greatest(partners.triggered_at, partners.valid_at) as event_at,
        {{ local_date('greatest(partners.triggered_at, partners.valid_at)') }} as event_date
    from {{ ref('int_attribution__event_partners') }} as partners
    cross join run

),

components as (

    select * from {{ ref('stg_program__components') }}
    where kind = 'event'

),

-- C1: the first won deal of the lead; a won deal that was earned before leads joined keeps its own price.
won_deals as (

    select
        first_events.lead_id,
        events.stage,
        events.source_type,
        events.source_id,
        case when events.stage = 'deal_won' then events.triggered_at else first_events.occurred_at end as won_at,
        deals.amount_minor as deal_amount_minor,
        deals.currency_code as deal_currency_code
    from (select distinct lead_id, stage, source_type, source_id, triggered_at from triggers) as events
    inner join {{ ref('int_leads__first_events') }} as first_events
        on
            events.lead_id = first_events.lead_id
            and first_events.stage = 'deal_won'
    inner join {{ ref('int_sources__deals') }} as deals
        on case when events.stage = 'deal_won' then events.source_id else first_events.source_id end = deals.deal_id

),

governed as (

    {{ governing_versions('triggers', 'event_date') }}

),

-- The version of the event's day says which components there are.
chosen as (

    select
        governed.*,
        components.component_id,
        components.component_order,
        components.rate
    from governed
    inner join components
        on
            governed.plan_id = components.plan_id
            and governed.plan_version = components.plan_version
            and governed.stage = components.trigger

),

-- T2, decision 0017: of a share of a deal the version of the day on which it is earned says how much.
deal_shares as (

    select
        chosen.lead_id,
        chosen.partner_id,
        chosen.stage,
        chosen.source_type,
        chosen.source_id,
        chosen.scope_type,
        chosen.scope_id,
        chosen.component_id,
        {{ local_date('greatest(chosen.event_at, won_deals.won_at)') }} as earned_date
    from chosen
    cross join run
    inner join won_deals
        on
            chosen.lead_id = won_deals.lead_id
            and chosen.stage = won_deals.stage
            and chosen.source_type = won_deals.source_type
            and chosen.source_id = won_deals.source_id
    where chosen.rate is not null

),

deal_versions as (

    {{ governing_versions('deal_shares', 'earned_date') }}

),

later_shares as (

    select
        deal_versions.lead_id,
        deal_versions.partner_id,
        deal_versions.stage,
        deal_versions.source_type,
        deal_versions.source_id,
        components.component_id,
        components.component_order,
        components.plan_id,
        components.plan_version,
        components.rate
    from deal_versions
    inner join components
        on
            deal_versions.plan_id = components.plan_id
            and deal_versions.plan_version = components.plan_version
            and deal_versions.component_id = components.component_id
            and deal_versions.stage = components.trigger
            and components.rate is not null

),

shaped as (

    select
        chosen.* exclude (plan_id, plan_version, component_order, rate),
        coalesce(later_shares.plan_id, chosen.plan_id) as plan_id,
        coalesce(later_shares.plan_version, chosen.plan_version) as plan_version,
        coalesce(later_shares.component_order, chosen.component_order) as component_order,
        coalesce(later_shares.rate, chosen.rate) as rate
    from chosen
    left join later_shares
        on
            chosen.lead_id = later_shares.lead_id
            and chosen.partner_id = later_shares.partner_id
            and chosen.stage = later_shares.stage
            and chosen.source_type = later_shares.source_type
            and chosen.source_id = later_shares.source_id
            and chosen.component_id = later_shares.component_id

),

-- What was posted keeps its payout currency; everything else follows the directory (J6).
partner_currencies as (

    select
        triggers.lead_id,
        triggers.partner_id,
        triggers.stage,
        triggers.source_type,
        triggers.source_id,
        coalesce(
            posted_earnings.payout_currency_code, currencies.payout_currency_code
        ) as payout_currency_code
    from triggers
    inner join {{ ref('int_commission__payout_currencies') }} as currencies
        on triggers.partner_id = currencies.partner_id
    left join {{ ref('int_terms__posted_earnings') }} as posted_earnings
        on
            triggers.source_type = posted_earnings.source_type
            and triggers.source_id = posted_earnings.source_id
            and triggers.partner_id = posted_earnings.partner_id

),

priced as (

    select
        shaped.*,
        currencies.payout_currency_code,
        lead_customers.customer_id,
        won_deals.won_at,
        won_deals.deal_amount_minor,
        case
            when shaped.rate is null then currencies.payout_currency_code
            else won_deals.deal_currency_code
        end as currency_code,
        case
            when shaped.rate is null then amounts.amount_minor
            else won_deals.deal_amount_minor
        end as base_amount_minor,
        case
            when shaped.rate is null then shaped.event_at
            else greatest(shaped.event_at, won_deals.won_at)
        end as earned_at,
        case
            when shaped.rate is null then amounts.amount_minor
            else {{ round_ratio(
                wide('won_deals.deal_amount_minor') ~ ' * ' ~ ppm('shaped.rate'), wide('1000000')
            ) }}
        end as whole_amount_minor
    from shaped
    inner join partner_currencies as currencies
        on
            shaped.lead_id = currencies.lead_id
            and shaped.partner_id = currencies.partner_id
            and shaped.stage = currencies.stage
            and shaped.source_type = currencies.source_type
            and shaped.source_id = currencies.source_id
    left join {{ ref('stg_program__component_amounts') }} as amounts
        on
            shaped.plan_id = amounts.plan_id
            and shaped.plan_version = amounts.plan_version
            and shaped.component_id = amounts.component_id
            and amounts.amount_role = 'amount'
            and currencies.payout_currency_code = amounts.currency_code
    left join won_deals
        on
            shaped.lead_id = won_deals.lead_id
            and shaped.stage = won_deals.stage
            and shaped.source_type = won_deals.source_type
            and shaped.source_id = won_deals.source_id
    left join {{ ref('int_leads__customers') }} as lead_customers
        on shaped.lead_id = lead_customers.lead_id

),

-- M3: with several credited partners each takes its part of what its own plan gives on the whole.
split as (

    select
        priced.*,
        case
            when is_paying then {{ split_share('whole_amount_minor', 'credits', 'partner_id', 'credit_ppm') }}
            else 0
        end as amount_minor
    from priced

),

judged as (

    select
        split.*,
        case
            when stage = 'first_payment' and is_conversion_late then 'conversion_window'
            when rate is not null and won_at is null then 'deal_not_won'
            when rate is not null and (deal_amount_minor is null or currency_code is null) then 'deal_without_amount'
            when rate is null and whole_amount_minor is null then 'no_amount_for_currency'
            when whole_amount_minor = 0 or (is_paying and amount_minor = 0) then 'zero_amount'
        end as own_reason
    from split

),

-- J2: a component that changes its trigger may meet one meeting twice; the first that pays is the one (decision 0017).
ranked as (

    select
        judged.*,
        row_number() over (
            partition by lead_id, partner_id, component_id, source_type, source_id
            order by (own_reason is null) desc, is_paying desc, earned_at, event_at, stage
        ) as rank_of_key
    from judged

)

select
    * exclude (own_reason, rank_of_key),
    case when rank_of_key = 1 then own_reason else 'other_trigger_counts' end as reason
from ranked
