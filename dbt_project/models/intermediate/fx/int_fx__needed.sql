-- Grain: one row per pair of currencies and day on which something is earned in one and paid out in
-- the other (J6: the rate is fixed at earned_at), also by partners whom only a compared model credits (A7).
with

run as (

    select * from {{ ref('stg_program__run') }}

),

partners as (

    select * from {{ ref('int_sources__partners') }}

),

earned as (

    select partner_id, currency_code, payout_currency_code, earned_at
    from {{ ref('int_commission__recurring_amounts') }}
    where whole_amount_minor <> 0

    union all

    select partner_id, currency_code, payout_currency_code, earned_at
    from {{ ref('int_commission__judged_events') }}
    where reason is null

),

-- C7: a referrer earns its share in the currency of the referred partner's entry, at the rate of its day.
shared as (

    select earned.currency_code, referrers.payout_currency_code, earned.earned_at
    from earned
    inner join partners
        on earned.partner_id = partners.partner_id
    inner join {{ ref('int_commission__payout_currencies') }} as referrers
        on partners.referred_by_partner_id = referrers.partner_id

    union all

    -- What was posted keeps its payout currency (decision 0018).
    select earned.currency_code, posted_shares.payout_currency_code, earned.earned_at
    from earned
    cross join (
        select distinct payout_currency_code
        from {{ ref('int_terms__posted_earnings') }}
        where source_type = 'commission'
    ) as posted_shares

    union all

    select currency_code, payout_currency_code, earned_at
    from earned

)

select distinct
    shared.currency_code as from_currency_code,
    shared.payout_currency_code as to_currency_code,
    {{ local_date('shared.earned_at') }} as rate_for_date
from shared
cross join run
where shared.currency_code <> shared.payout_currency_code
