-- Grain: one row per journal entry that counts towards a balance (entry_id), with its state on as_of:
-- paid, in_batch, held, available or on_hold (P1, P2). Payouts themselves are paid.
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

)

select
    entries.entry_id,
    entries.commission_id,
    entries.entry_kind,
    entries.partner_id,
    entries.payout_amount_minor,
    -- What takes back a negative earning gives to the partner: it counts as earned, not as taken back. An earning is
    -- negative when its first entry is: a later difference may well be, on a positive one.
    -- A ruling that adds to what a partner had is earned; one that takes, with what revokes it, is taken back.
    entries.entry_kind in ('earning', 'bonus', 'adjustment')
    or (
        entries.entry_kind = 'ruling'
        and sum(entries.payout_amount_minor) over (partition by entries.commission_id) > 0
    )
    or coalesce(first_entries.payout_amount_minor < 0, false) as is_earned_side,
    entries.payout_currency_code,
    entries.effective_date,
    entries.available_date,
    entries.posting_period,
    claims.batch_id,
    claims.batch_state,
    claims.pay_date,
    holds.hold_reason,
    case
        when entries.entry_kind in ('payout', 'payout_return') or claims.is_exported then 'paid'
        when claims.entry_id is not null then 'in_batch'
        when holds.entry_id is not null then 'held'
        when entries.available_date <= run.as_of then 'available'
        else 'on_hold'
    end as entry_state,
    pay_dates.expected_pay_date
from entries
cross join run
left join entries as reversed_entries
    on entries.reverses_entry_id = reversed_entries.entry_id
left join first_entries
    on reversed_entries.commission_id = first_entries.commission_id
left join {{ ref('int_payouts__claims') }} as claims
    on entries.entry_id = claims.entry_id
left join {{ ref('int_payouts__holds') }} as holds
    on entries.entry_id = holds.entry_id
left join {{ ref('int_payouts__pay_dates') }} as pay_dates
    on entries.available_date = pay_dates.available_date
