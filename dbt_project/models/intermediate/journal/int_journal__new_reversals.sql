-- Grain: one row per new reversal entry (entry_id), each pointing at one earning entry, the oldest
-- first (R10). A reversal larger than one entry can give is split; what no entry can give (a
-- correction that crosses itself) points at the newest. Payout amounts are split cumulatively, so
-- the pieces sum to the whole exactly.
with

differences as (

    select
        differences.*,
        abs(amount_minor) as size_minor
    from {{ ref('int_journal__open_differences') }} as differences
    where kind not in ({{ earning_kinds() }})

),

entries as (

    select * from {{ ref('int_journal__reversible_entries') }}

),

signed as (

    select
        differences.*,
        sign(differences.amount_minor) = -entries.line_sign as is_taking
    from differences
    left join entries
        on
            differences.component_id = entries.component_id
            and differences.source_type = entries.source_type
            and differences.source_id = entries.source_id
            and differences.partner_id = entries.partner_id
            and entries.is_newest

),

spans as (

    select
        signed.*,
        cast(sum(size_minor) over taking_order as bigint) - size_minor as starts_at,
        cast(sum(size_minor) over taking_order as bigint) as ends_at
    from signed
    where is_taking
    window taking_order as (
        partition by component_id, source_type, source_id, partner_id
        order by effective_date, cause_type, cause_id, kind, currency_code, payout_currency_code
        rows between unbounded preceding and current row
    )

),

pointed as (

    select
        spans.*,
        entries.entry_id as reverses_entry_id,
        entries.available_date as reversed_available_date,
        entries.opens_at,
        case
            when entries.is_newest then spans.ends_at
            else least(spans.ends_at, entries.closes_at)
        end - greatest(spans.starts_at, entries.opens_at) as piece_minor
    from spans
    inner join entries
        on
            spans.component_id = entries.component_id
            and spans.source_type = entries.source_type
            and spans.source_id = entries.source_id
            and spans.partner_id = entries.partner_id
            and spans.ends_at > entries.opens_at
            and (spans.starts_at < entries.closes_at or entries.is_newest)

),

taking as (

    select
        pointed.*,
        cast(sum(piece_minor) over piece_order as bigint) as piece_ends_minor,
        row_number() over piece_order as piece_number
    from pointed
    where piece_minor > 0
    window piece_order as (
        partition by commission_id, currency_code, payout_currency_code, effective_date
        order by opens_at, reverses_entry_id
        rows between unbounded preceding and current row
    )

),

taking_split as (

    select
        taking.* exclude (amount_minor, payout_amount_minor, available_date),
        cast(sign(amount_minor) as bigint) * piece_minor as amount_minor,
        {{ round_ratio(wide('payout_amount_minor') ~ ' * piece_ends_minor', wide('size_minor')) }}
        - {{ round_ratio(
            wide('payout_amount_minor') ~ ' * (piece_ends_minor - piece_minor)', wide('size_minor')
        ) }} as payout_amount_minor,
        -- R10: on its own day or the original's available date, whichever is later.
        greatest(effective_date, reversed_available_date) as available_date
    from taking

),

-- What gives back points at the newest earning entry of the line; so does a difference in the payout
-- currency alone.
giving as (

    select
        signed.*,
        entries.entry_id as reverses_entry_id,
        entries.available_date as reversed_available_date,
        1 as piece_number
    from signed
    left join entries
        on
            signed.component_id = entries.component_id
            and signed.source_type = entries.source_type
            and signed.source_id = entries.source_id
            and signed.partner_id = entries.partner_id
            and entries.is_newest
    where not coalesce(signed.is_taking, false)

),

pieces as (

    select
        commission_id, kind, component_id, source_type, source_id, partner_id, cause_type, cause_id,
        lead_id, customer_id, plan_id, plan_version, currency_code, payout_currency_code,
        effective_date, available_date, amount_minor, payout_amount_minor, last_ordinal,
        corrects_entry_id, reverses_entry_id, piece_number
    from taking_split

    union all

    select
        commission_id, kind, component_id, source_type, source_id, partner_id, cause_type, cause_id,
        lead_id, customer_id, plan_id, plan_version, currency_code, payout_currency_code,
        effective_date,
        -- What a revoked ruling gives back is available when what it took was.
        case
            when kind = 'ruling' then greatest(effective_date, available_date)
            else greatest(effective_date, coalesce(reversed_available_date, effective_date))
        end as available_date,
        amount_minor, payout_amount_minor, last_ordinal,
        corrects_entry_id, reverses_entry_id, piece_number
    from giving

),

numbered as (

    select
        pieces.*,
        last_ordinal + row_number() over (
            partition by commission_id
            order by effective_date, currency_code, payout_currency_code, piece_number, reverses_entry_id
        ) as ordinal
    from pieces

)

select
    numbered.*,
    {{ uuid5(natural_key('numbered.') ~ ' || chr(31) || cast(numbered.ordinal as varchar)') }} as entry_id
from numbered
