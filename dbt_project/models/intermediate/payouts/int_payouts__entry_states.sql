-- Grain: one row per journal entry and part of it (entry_id, batch_id), with its state on as_of: paid, in_batch, held,
-- available or on_hold (P1, P2). An entry is one part, but for a negative one that batches claim bit by bit (P3).
-- Payouts themselves are paid; what comes back is available again.
{{ config(tags=['payouts']) }}

with

entries as (

    select * from {{ ref('int_journal__entries') }}

),

first_entries as (

    select
        commission_id,
        min_by(payout_amount_minor, ordinal) as payout_amount_minor
    from entries
    where entry_kind = 'earning'
    group by commission_id

),

run as (

    select * from {{ ref('stg_program__run') }}

),

claims as (

    select * from {{ ref('int_payouts__claims') }}

),

claimed_amounts as (

    select
        entry_id,
        sum(claimed_amount_minor) as claimed_amount_minor
    from claims
    group by entry_id

),

claimed_parts as (

    select
        entries.*,
        claims.claimed_amount_minor as part_amount_minor,
        claims.batch_id,
        claims.batch_state,
        claims.pay_date,
        claims.is_exported
    from entries
    inner join claims
        on entries.entry_id = claims.entry_id

),

open_parts as (

    select
        entries.*,
        cast(entries.payout_amount_minor - coalesce(claimed_amounts.claimed_amount_minor, 0) as bigint)
            as part_amount_minor,
        cast(null as varchar) as batch_id,
        cast(null as varchar) as batch_state,
        cast(null as date) as pay_date,
        cast(null as boolean) as is_exported
    from entries
    left join claimed_amounts
        on entries.entry_id = claimed_amounts.entry_id
    where
        claimed_amounts.entry_id is null
        or claimed_amounts.claimed_amount_minor <> entries.payout_amount_minor

),

parts as (

    select * from claimed_parts
    union all
    select * from open_parts

),

key_amounts as (

    select
        commission_id,
        sum(payout_amount_minor) as payout_amount_minor
    from entries
    where entry_kind = 'ruling'
    group by commission_id

),

rails as (

    select * from {{ ref('stg_program__rails') }}

),

default_rail as (

    select rail
    from rails
    where currency_code = 'default'

)

select
    parts.entry_id,
    parts.commission_id,
    parts.entry_kind,
    parts.partner_id,
    parts.part_amount_minor as payout_amount_minor,
    -- What takes back a negative earning gives to the partner: it counts as earned, not as taken back. An earning is
    -- negative when its first entry is: a later difference may well be, on a positive one.
    -- A ruling that adds to what a partner had is earned; one that takes, with what revokes it, is taken back.
    parts.entry_kind in ('earning', 'bonus', 'adjustment')
    or coalesce(key_amounts.payout_amount_minor > 0, false)
    or coalesce(first_entries.payout_amount_minor < 0, false) as is_earned_side,
    parts.payout_currency_code,
    parts.effective_date,
    parts.available_date,
    parts.posting_period,
    parts.batch_id,
    parts.batch_state,
    parts.pay_date,
    holds.hold_reason,
    case
        when parts.entry_kind = 'payout' or parts.is_exported then 'paid'
        when parts.batch_id is not null then 'in_batch'
        when holds.entry_id is not null then 'held'
        when parts.available_date <= run.as_of then 'available'
        else 'on_hold'
    end as entry_state,
    pay_dates.expected_pay_date
from parts
cross join run
left join entries as reversed_entries
    on parts.reverses_entry_id = reversed_entries.entry_id
left join first_entries
    on reversed_entries.commission_id = first_entries.commission_id
left join key_amounts
    on parts.commission_id = key_amounts.commission_id
left join {{ ref('int_payouts__holds') }} as holds
    on parts.entry_id = holds.entry_id
left join rails as own_rails
    on parts.payout_currency_code = own_rails.currency_code
cross join default_rail
left join {{ ref('int_payouts__pay_dates') }} as pay_dates
    on
        parts.available_date = pay_dates.available_date
        and coalesce(own_rails.rail, default_rail.rail) = pay_dates.rail
