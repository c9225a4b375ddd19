-- Grain: one row per (lead_id, model, component_id, source_type, source_id, partner_id) with an amount: what the
-- partner would earn under a compared model, its own plan applied to the whole and split by that model's
-- credits, beside what it earns (A7). Earnings before take-backs, in their own currency; what waits for a rate
-- (J6) is not earned yet under any model.
with

run as (

    select * from {{ ref('stg_program__run') }}

),

whole_amounts as (

    select
        lead_id, component_id, source_type, source_id, partner_id, currency_code, payout_currency_code,
        earned_at, coalesce(uncut_amount_minor, whole_amount_minor) as whole_amount_minor, amount_minor,
        case when is_part_cut then whole_amount_minor end as most_amount_minor, true as is_computed
    from {{ ref('int_commission__recurring_amounts') }}
    where not is_waiting_for_rate

    union all

    -- C1: a model pays a trigger once per lead; what leads that were joined later had earned stays pinned alone.
    select
        lead_id, component_id, source_type, source_id, partner_id, currency_code, payout_currency_code,
        earned_at, whole_amount_minor, amount_minor, null, is_first_event
    from {{ ref('int_commission__judged_events') }}
    where
        reason is null
        -- Its part is nothing under the paying model alone.
        or (reason = 'zero_amount' and whole_amount_minor <> 0)

),

convertible as (

    select whole_amounts.*
    from whole_amounts
    cross join run
    left join {{ ref('int_fx__cross_rates') }} as rates
        on
            whole_amounts.currency_code = rates.from_currency_code
            and whole_amounts.payout_currency_code = rates.to_currency_code
            and {{ local_date('whole_amounts.earned_at') }} = rates.rate_for_date
    where
        whole_amounts.currency_code = whole_amounts.payout_currency_code
        or rates.minor_numerator is not null

),

compared as (

    select
        amounts.*,
        comparisons.model,
        case
            when credits.credit_ppm is null or not amounts.is_computed then 0
            -- C6: no more than the programme's month left.
            else least({{ split_share(
                'amounts.whole_amount_minor', 'credits.credits', 'amounts.partner_id', 'credits.credit_ppm'
            ) }}, amounts.most_amount_minor)
        end as model_amount_minor
    from convertible as amounts
    inner join {{ ref('int_attribution__comparisons') }} as comparisons
        on amounts.lead_id = comparisons.lead_id
    left join {{ ref('int_attribution__compared_credits') }} as credits
        on
            comparisons.lead_id = credits.lead_id
            and comparisons.model = credits.model
            and amounts.partner_id = credits.partner_id

)

select
    lead_id,
    model,
    component_id,
    source_type,
    source_id,
    partner_id,
    currency_code,
    amount_minor as paying_amount_minor,
    model_amount_minor
from compared
where
    amount_minor <> 0
    or model_amount_minor <> 0
