-- Grain: one row per natural key of the desired state (kind, component_id, source_type, source_id,
-- partner_id, cause_type, cause_id): what the journal should add up to (J2). Signed from the partner's view.
-- Where an approved ruling moves what had been posted, that stays, and a key of kind `ruling` makes up the
-- difference (A6, J1).
with

computed as (

    select * from {{ ref('int_journal__computed') }}

),

-- What was earned, for the columns that explain it; a partner who is no longer credited is still here.
earnings as (

    select * from {{ ref('int_commission__earnings') }}

),

-- What was posted before the ruling's own entries, and what was earned after it under the same key.
standing as (

    select commission_id, effective_date, available_date, amount_minor, payout_amount_minor
    from {{ ref('int_journal__kept_parts') }}

    union all

    select commission_id, effective_date, available_date, amount_minor, payout_amount_minor
    from {{ ref('int_journal__later_parts') }}

),

sums as (

    select
        commission_id,
        max(effective_date) as effective_date,
        max(available_date) as available_date,
        cast(sum(amount_minor) as bigint) as amount_minor,
        cast(sum(payout_amount_minor) as bigint) as payout_amount_minor
    from standing
    group by commission_id

),

kept as (

    select
        kept_keys.*,
        sums.effective_date,
        sums.available_date,
        sums.amount_minor,
        sums.payout_amount_minor
    from {{ ref('int_journal__kept_keys') }} as kept_keys
    inner join sums
        on kept_keys.commission_id = sums.commission_id

),

rulings as (

    select
        'ruling' as kind,
        'ruling' as cause_type,
        ruling_id as cause_id,
        *
    from {{ ref('int_journal__ruling_amounts') }}

),

desired as (

    select
        computed.kind, computed.component_id, computed.source_type, computed.source_id, computed.partner_id,
        computed.cause_type, computed.cause_id, computed.effective_date, computed.available_date,
        computed.amount_minor, computed.payout_amount_minor, computed.lead_id, computed.customer_id,
        computed.plan_id, computed.plan_version, computed.invoice_id, computed.decided_by, computed.earned_at,
        computed.currency_code, computed.payout_currency_code, computed.base_amount_minor, computed.rate,
        computed.fx_rate_date, computed.fx_from_rate, computed.fx_to_rate, computed.commission_id
    from computed
    left join kept
        on computed.commission_id = kept.commission_id
    where kept.commission_id is null

    union all

    select
        kept.kind, kept.component_id, kept.source_type, kept.source_id, kept.partner_id,
        kept.cause_type, kept.cause_id, kept.effective_date, kept.available_date,
        kept.amount_minor, kept.payout_amount_minor, kept.lead_id, kept.customer_id,
        kept.plan_id, kept.plan_version, earnings.invoice_id, earnings.decided_by, earnings.earned_at,
        kept.currency_code, kept.payout_currency_code, earnings.base_amount_minor, earnings.rate,
        earnings.fx_rate_date, earnings.fx_from_rate, earnings.fx_to_rate, kept.commission_id
    from kept
    left join earnings
        on
            kept.component_id = earnings.component_id
            and kept.source_type = earnings.source_type
            and kept.source_id = earnings.source_id
            and kept.partner_id = earnings.partner_id

    union all

    -- R10: at the rate of the original.
    select
        rulings.kind, rulings.component_id, rulings.source_type, rulings.source_id, rulings.partner_id,
        rulings.cause_type, rulings.cause_id, rulings.effective_date, rulings.available_date,
        rulings.amount_minor, rulings.payout_amount_minor, rulings.lead_id, rulings.customer_id,
        rulings.plan_id, rulings.plan_version, earnings.invoice_id, 'ruling:' || rulings.ruling_id,
        cast(null as timestamp), rulings.currency_code, rulings.payout_currency_code, cast(null as bigint),
        cast(null as decimal(9, 6)), earnings.fx_rate_date, earnings.fx_from_rate, earnings.fx_to_rate,
        {{ uuid5(natural_key('rulings.')) }}
    from rulings
    left join earnings
        on
            rulings.component_id = earnings.component_id
            and rulings.source_type = earnings.source_type
            and rulings.source_id = earnings.source_id
            and rulings.partner_id = earnings.partner_id

)

select * from desired
