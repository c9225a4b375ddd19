-- Grain: one row per journal entry that is not payable for now (entry_id), with the first reason:
-- an open dispute on its invoice (R2), or a hold that people placed on line, lead or partner (P1).
{{ config(tags=['ledger']) }}

with

entries as (

    select
        entries.*,
        entry_leads.lead_id as present_lead_id
    from {{ ref('int_journal__entries') }} as entries
    inner join {{ ref('int_journal__entry_leads') }} as entry_leads
        on entries.entry_id = entry_leads.entry_id
    where entries.entry_kind <> 'payout'

),

holds as (

    select
        holds.subject_type,
        -- A lead is held under whatever id it had.
        coalesce(aliases.lead_id, holds.subject_id) as subject_id,
        min(holds.reason) as reason
    from {{ ref('stg_control__holds') }} as holds
    left join {{ ref('int_identity__lead_aliases') }} as aliases
        on holds.subject_id = aliases.alias_lead_id
    where holds.is_open
    group by 1, 2

),

own_reasons as (

    select entries.entry_id, 1 as reason_rank, 'dispute_open' as hold_reason
    from entries
    inner join {{ ref('int_adjustment__dispute_holds') }} as dispute_holds
        on entries.commission_id = dispute_holds.commission_id

    union all

    select entries.entry_id, 2, 'line_hold: ' || holds.reason
    from entries
    inner join holds
        on
            holds.subject_type = 'line'
            and entries.commission_id = holds.subject_id

    union all

    select entries.entry_id, 3, 'lead_hold: ' || holds.reason
    from entries
    inner join holds
        on
            holds.subject_type = 'lead'
            and entries.present_lead_id = holds.subject_id

    union all

    -- An id that no key of the lead gives any more still names what was posted under it.
    select entries.entry_id, 3, 'lead_hold: ' || holds.reason
    from entries
    inner join holds
        on
            holds.subject_type = 'lead'
            and entries.lead_id = holds.subject_id
    where entries.lead_id <> entries.present_lead_id

    union all

    select entries.entry_id, 4, 'partner_hold: ' || holds.reason
    from entries
    inner join holds
        on
            holds.subject_type = 'partner'
            and entries.partner_id = holds.subject_id

),

-- R10: a reversal never eats into other earnings while what it reverses is on hold.
reasons as (

    select * from own_reasons

    union all

    select entries.entry_id, own_reasons.reason_rank + 4, own_reasons.hold_reason
    from entries
    inner join own_reasons
        on entries.reverses_entry_id = own_reasons.entry_id

)

select
    entry_id,
    min_by(hold_reason, reason_rank) as hold_reason
from reasons
group by entry_id
