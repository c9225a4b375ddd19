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

desired as (

    select * from {{ ref('int_journal__desired') }}

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
    strftime(entries.effective_date, '%Y-%m') as posting_period,
    cast(entries.ordinal as bigint) as ordinal,
    entries.reverses_entry_id,
    entries.corrects_entry_id,
    -- C8: what a reader needs to compute the cents again.
    cast(to_json({
        'invoice_id': desired.invoice_id,
        'line_base_amount_minor': desired.line_base_amount_minor,
        'rate': cast(desired.rate as varchar),
        'rate_numerator': cast(desired.rate_numerator as varchar),
        'rate_denominator': cast(desired.rate_denominator as varchar),
        'paid_share': cast(desired.paid_share as varchar) || '/' || cast(desired.total_share as varchar),
        'paid_amount_minor': desired.paid_amount_minor,
        'cause_amount_minor': desired.cause_amount_minor,
        'desired_amount_minor': desired.amount_minor,
        -- M3, A6: whose plan and part it is where several partners share, and who decided otherwise than the
        -- computation. A pin is read from here.
        'whole_amount_minor': case when desired.credit_ppm < 1000000 then desired.whole_amount_minor end,
        'credits': case when desired.credit_ppm < 1000000 then desired.credits end,
        'decided_by': nullif(desired.decided_by, 'computed'),
        'fx': cast(desired.minor_numerator as varchar) || '/' || cast(desired.minor_denominator as varchar),
        'fx_rate_date': cast(desired.fx_rate_date as varchar),
        'hold': cast(desired.hold_days as varchar) || ' days after ' || desired.hold_after
    }) as varchar) as explanation
from entries
left join desired
    on
        entries.commission_id = desired.commission_id
        and entries.currency_code = desired.currency_code
        and entries.payout_currency_code = desired.payout_currency_code
