-- Grain: one row per (commission_id, currency_code, payout_currency_code, effective_date) on which the
-- desired state and the journal differ (J2). A key whose sums agree is left alone, even where a fact's
-- date moved: nothing is owed differently.
with

keys as (

    select
        commission_id, kind, component_id, source_type, source_id, partner_id, cause_type, cause_id,
        lead_id, customer_id, plan_id, plan_version, currency_code, payout_currency_code
    from {{ ref('int_journal__desired') }}

),

wanted as (

    select
        parts.commission_id,
        keys.currency_code,
        keys.payout_currency_code,
        parts.effective_date,
        parts.available_date,
        parts.amount_minor,
        parts.payout_amount_minor
    from {{ ref('int_journal__desired_parts') }} as parts
    inner join keys
        on parts.commission_id = keys.commission_id

),

-- Kinds that the desired state owns; payouts are posted by exports.
entries as (

    select * from {{ ref('stg_control__journal_entries') }}
    where entry_kind in ({{ computed_kinds() }})

),

posted as (

    select
        commission_id,
        currency_code,
        payout_currency_code,
        effective_date,
        max(available_date) as available_date,
        cast(sum(amount_minor) as bigint) as amount_minor,
        cast(sum(payout_amount_minor) as bigint) as payout_amount_minor
    from entries
    group by commission_id, currency_code, payout_currency_code, effective_date

),

posted_keys as (

    select
        commission_id,
        max(entry_kind) as kind,
        max(component_id) as component_id,
        max(source_type) as source_type,
        max(source_id) as source_id,
        max(partner_id) as partner_id,
        max(cause_type) as cause_type,
        max(cause_id) as cause_id,
        max(lead_id) as lead_id,
        max(customer_id) as customer_id,
        max_by(plan_id, segment) as plan_id,
        max_by(plan_version, segment) as plan_version,
        max(ordinal) as last_ordinal,
        min_by(entry_id, ordinal) as first_entry_id
    from entries
    group by commission_id

),

compared as (

    select
        coalesce(wanted.commission_id, posted.commission_id) as commission_id,
        coalesce(wanted.currency_code, posted.currency_code) as currency_code,
        coalesce(wanted.payout_currency_code, posted.payout_currency_code) as payout_currency_code,
        coalesce(wanted.effective_date, posted.effective_date) as effective_date,
        coalesce(wanted.available_date, posted.available_date) as available_date,
        coalesce(wanted.amount_minor, 0) - coalesce(posted.amount_minor, 0) as amount_minor,
        coalesce(wanted.payout_amount_minor, 0) - coalesce(posted.payout_amount_minor, 0) as payout_amount_minor
    from wanted
    full outer join posted
        on
            wanted.commission_id = posted.commission_id
            and wanted.currency_code = posted.currency_code
            and wanted.payout_currency_code = posted.payout_currency_code
            and wanted.effective_date = posted.effective_date

),

summed as (

    select
        compared.*,
        sum(amount_minor) over key_and_currency as key_amount_minor,
        sum(payout_amount_minor) over key_and_currency as key_payout_amount_minor
    from compared
    window key_and_currency as (partition by commission_id, currency_code, payout_currency_code)

)

select
    summed.commission_id,
    coalesce(keys.kind, posted_keys.kind) as kind,
    coalesce(keys.component_id, posted_keys.component_id) as component_id,
    coalesce(keys.source_type, posted_keys.source_type) as source_type,
    coalesce(keys.source_id, posted_keys.source_id) as source_id,
    coalesce(keys.partner_id, posted_keys.partner_id) as partner_id,
    coalesce(keys.cause_type, posted_keys.cause_type) as cause_type,
    coalesce(keys.cause_id, posted_keys.cause_id) as cause_id,
    coalesce(keys.lead_id, posted_keys.lead_id) as lead_id,
    coalesce(keys.customer_id, posted_keys.customer_id) as customer_id,
    coalesce(keys.plan_id, posted_keys.plan_id) as plan_id,
    coalesce(keys.plan_version, posted_keys.plan_version) as plan_version,
    summed.currency_code,
    summed.payout_currency_code,
    summed.effective_date,
    summed.available_date,
    cast(summed.amount_minor as bigint) as amount_minor,
    cast(summed.payout_amount_minor as bigint) as payout_amount_minor,
    coalesce(posted_keys.last_ordinal, 0) as last_ordinal,
    posted_keys.first_entry_id as corrects_entry_id
from summed
left join keys
    on
        summed.commission_id = keys.commission_id
        and summed.currency_code = keys.currency_code
        and summed.payout_currency_code = keys.payout_currency_code
left join posted_keys
    on summed.commission_id = posted_keys.commission_id
where
    (summed.key_amount_minor <> 0 or summed.key_payout_amount_minor <> 0)
    and (summed.amount_minor <> 0 or summed.payout_amount_minor <> 0)
