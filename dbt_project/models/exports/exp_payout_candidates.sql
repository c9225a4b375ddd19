-- Grain: one row per journal entry that exported batches have not paid whole (entry_id), with what a batch needs to
-- decide (entries of a live batch included, since it may yet be rejected): amount in the payout currency that is still
-- to be paid, the whole entry, its line, available date, hold, and the partner's state (P2, P3). line_id is the
-- commission that an entry earns or takes back from.
with

entries as (

    select * from {{ ref('fct_commission_entries') }}
    where entry_kind <> 'payout'

),

holds as (

    select * from {{ ref('fct_entry_holds') }}

),

paid_entries as (

    select * from {{ ref('fct_paid_entries') }}

),

partners as (

    select * from {{ ref('dim_partners') }}

)

select
    entries.entry_id,
    entries.commission_id,
    entries.entry_kind,
    entries.partner_id,
    coalesce(partners.name, entries.partner_id) as partner_name,
    coalesce(partners.status, 'unknown') as partner_status,
    coalesce(partners.is_pilot, false) as is_pilot,
    entries.customer_id,
    entries.present_lead_id as lead_id,
    cast(entries.payout_amount_minor - coalesce(paid_entries.paid_amount_minor, 0) as bigint) as payout_amount_minor,
    entries.payout_amount_minor as entry_amount_minor,
    coalesce(reversed_entries.commission_id, entries.commission_id) as line_id,
    entries.payout_currency_code,
    entries.effective_date,
    entries.available_date,
    holds.entry_id is not null as is_held,
    holds.hold_reason
from entries
left join paid_entries
    on entries.entry_id = paid_entries.entry_id
left join holds
    on entries.entry_id = holds.entry_id
left join partners
    on entries.partner_id = partners.partner_id
left join {{ ref('fct_commission_entries') }} as reversed_entries
    -- One equality: a condition on the left side alone would compare every pair.
    on case when entries.entry_kind <> 'payout_return' then entries.reverses_entry_id end = reversed_entries.entry_id
where
    paid_entries.entry_id is null
    or paid_entries.paid_amount_minor <> entries.payout_amount_minor
