-- Grain: one row per earning entry that a difference of this night may point at (entry_id): posted ones
-- and this night's, oldest first, with the span [opens_at, closes_at) of cents it can still give (R10).
with

affected as (

    select distinct component_id, source_type, source_id, partner_id
    from {{ ref('int_journal__open_differences') }}
    where kind not in ({{ earning_kinds() }})

),

posted as (

    select * from {{ ref('stg_control__journal_entries') }}

),

reversed as (

    select
        reverses_entry_id,
        cast(sum(amount_minor) as bigint) as reversed_amount_minor
    from posted
    where reverses_entry_id is not null
    group by reverses_entry_id

),

earnings as (

    select
        entry_id, component_id, source_type, source_id, partner_id, amount_minor,
        effective_date, available_date, segment, ordinal
    from posted
    where entry_kind = 'earning'

    union all

    -- This night's entries come after every registered segment.
    select
        entry_id, component_id, source_type, source_id, partner_id, amount_minor,
        effective_date, available_date, 9223372036854775807, ordinal
    from {{ ref('int_journal__new_earnings') }}

),

capacities as (

    select
        earnings.*,
        sign(sum(earnings.amount_minor) over (
            partition by earnings.component_id, earnings.source_type, earnings.source_id, earnings.partner_id
        )) as line_sign,
        coalesce(reversed.reversed_amount_minor, 0) as reversed_amount_minor
    from earnings
    inner join affected
        on
            earnings.component_id = affected.component_id
            and earnings.source_type = affected.source_type
            and earnings.source_id = affected.source_id
            and earnings.partner_id = affected.partner_id
    left join reversed
        on earnings.entry_id = reversed.reverses_entry_id

),

open as (

    select
        capacities.*,
        greatest(cast((amount_minor + reversed_amount_minor) * line_sign as bigint), 0) as open_amount_minor
    from capacities

)

select
    open.*,
    row_number() over oldest_first = count(*) over whole_line as is_newest,
    cast(sum(open_amount_minor) over oldest_first as bigint) - open_amount_minor as opens_at,
    cast(sum(open_amount_minor) over oldest_first as bigint) as closes_at
from open
window
    whole_line as (partition by component_id, source_type, source_id, partner_id),
    oldest_first as (
        partition by component_id, source_type, source_id, partner_id
        order by effective_date, segment, ordinal
        rows between unbounded preceding and current row
    )
