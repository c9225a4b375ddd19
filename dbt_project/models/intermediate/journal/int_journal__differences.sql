-- Grain: one row per journal entry to be posted this night (entry_id): desired − already posted (J2).
-- The posting step appends exactly these rows as one segment; none means that nothing changed.
with

entries as (

    select
        entry_id, commission_id, kind, component_id, source_type, source_id, partner_id, cause_type,
        cause_id, lead_id, customer_id, plan_id, plan_version, currency_code, payout_currency_code,
        effective_date, available_date, amount_minor, payout_amount_minor, ordinal,
        cast(null as varchar) as reverses_entry_id, corrects_entry_id
    from {{ ref('int_journal__new_earnings') }}

    union all

    select
        entry_id, commission_id, kind, component_id, source_type, source_id, partner_id, cause_type,
        cause_id, lead_id, customer_id, plan_id, plan_version, currency_code, payout_currency_code,
        effective_date, available_date, amount_minor, payout_amount_minor, ordinal,
        reverses_entry_id, corrects_entry_id
    from {{ ref('int_journal__new_reversals') }}

),

-- J4: months close in order, so that the first open one follows the latest that is closed.
first_open as (

    select coalesce(
        strftime({{ add_months("max(cast(period || '-01' as date))", 1) }}, '%Y-%m'), '0000-00'
    ) as period
    from {{ ref('stg_control__closed_periods') }}

),

desired as (

    select commission_id, currency_code, payout_currency_code, amount_minor, payout_amount_minor
    from {{ ref('int_journal__desired') }}

),

explained as (

    select
        entries.entry_id,
        cast(to_json({
            'desired_amount_minor': coalesce(desired.amount_minor, 0),
            'desired_payout_amount_minor': coalesce(desired.payout_amount_minor, 0),
            'stands_under_ruling': kept_keys.ruling_id
        }) as varchar) as sums,
        case
            when desired.commission_id is null then '{"shape":"withdrawn"}'
            else explanations.explanation
        end as parts
    from entries
    left join desired
        on
            entries.commission_id = desired.commission_id
            and entries.currency_code = desired.currency_code
            and entries.payout_currency_code = desired.payout_currency_code
    left join {{ ref('int_journal__explanations') }} as explanations
        on entries.commission_id = explanations.commission_id
    left join {{ ref('int_journal__kept_keys') }} as kept_keys
        on entries.commission_id = kept_keys.commission_id

)

select
    entries.entry_id,
    entries.commission_id,
    entries.kind as entry_kind,
    entries.partner_id,
    entries.customer_id,
    entries.lead_id,
    entries.plan_id,
    entries.plan_version,
    entries.component_id,
    entries.source_type,
    entries.source_id,
    entries.cause_type,
    entries.cause_id,
    entries.amount_minor,
    entries.currency_code,
    entries.payout_amount_minor,
    entries.payout_currency_code,
    entries.effective_date,
    entries.available_date,
    greatest(strftime(entries.effective_date, '%Y-%m'), first_open.period) as posting_period,
    cast(entries.ordinal as bigint) as ordinal,
    entries.reverses_entry_id,
    coalesce(entries.corrects_entry_id, adjustments.corrects_entry_id) as corrects_entry_id,
    -- C8
    {{ json_joined('explained.sums', 'explained.parts') }} as explanation
from entries
inner join explained
    on entries.entry_id = explained.entry_id
left join {{ ref('stg_control__adjustments') }} as adjustments
    on case when entries.kind = 'adjustment' then entries.source_id end = adjustments.adjustment_id
cross join first_open
