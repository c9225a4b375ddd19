-- Grain: one row per (commission_id, currency_code, payout_currency_code, effective_date) of a posted key that an
-- approved ruling moves: what was posted before the ruling's own entries stays, and is wanted as it stands (A6).
-- What was taken back to nothing in a currency is no part of it (M1).
with

parts as (

    select
        entries.commission_id,
        entries.currency_code,
        entries.payout_currency_code,
        entries.effective_date,
        max(entries.entry_kind) as kind,
        max(entries.component_id) as component_id,
        max(entries.source_type) as source_type,
        max(entries.source_id) as source_id,
        max(entries.partner_id) as partner_id,
        max(entries.cause_type) as cause_type,
        max(entries.cause_id) as cause_id,
        max(entry_leads.lead_id) as lead_id,
        max(entries.customer_id) as customer_id,
        max(entries.plan_id) as plan_id,
        max(entries.plan_version) as plan_version,
        max(ruled_groups.ruling_id) as ruling_id,
        max(ruled_groups.ruled_date) as ruled_date,
        max(entries.available_date) as available_date,
        cast(sum(entries.amount_minor) as bigint) as amount_minor,
        cast(sum(entries.payout_amount_minor) as bigint) as payout_amount_minor
    from {{ ref('stg_control__journal_entries') }} as entries
    inner join {{ ref('int_journal__entry_leads') }} as entry_leads
        on entries.entry_id = entry_leads.entry_id
    inner join {{ ref('int_journal__ruled_groups') }} as ruled_groups
        on
            entries.component_id = ruled_groups.component_id
            and entries.source_type = ruled_groups.source_type
            and entries.source_id = ruled_groups.source_id
            and entries.partner_id = ruled_groups.partner_id
            and entries.segment < coalesce(ruled_groups.ruled_from_segment, 9223372036854775807)
    where
        entries.entry_kind in ({{ computed_kinds() }})
        and entries.entry_kind not in ('bonus', 'adjustment')
        and not (entries.entry_kind = 'ruling' and entries.cause_id = ruled_groups.ruling_id)
    group by
        entries.commission_id, entries.currency_code, entries.payout_currency_code, entries.effective_date

),

summed as (

    select
        *,
        sum(amount_minor) over key_and_currency as key_amount_minor,
        sum(payout_amount_minor) over key_and_currency as key_payout_amount_minor
    from parts
    window key_and_currency as (partition by commission_id, currency_code, payout_currency_code)

)

select * exclude (key_amount_minor, key_payout_amount_minor)
from summed
where
    key_amount_minor <> 0
    or key_payout_amount_minor <> 0
