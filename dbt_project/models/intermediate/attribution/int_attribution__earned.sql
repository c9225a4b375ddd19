-- Grain: one row per earning entry of the journal that still stands (entry_id), with the credits under which it was
-- earned (A6). is_pinning: `pin` remembers each earning, `recompute_until_paid` those that an exported batch has
-- paid, `recompute` none; what was earned under a ruling pins nothing either, since a ruling stands by itself until
-- it is revoked. The lead is found through what was earned on, since its id can change; home_lead_id is the id it
-- was posted under.
with

entries as (

    select
        *,
        sum(payout_amount_minor) over (
            partition by commission_id, currency_code, payout_currency_code
        ) as key_payout_amount_minor
    from {{ ref('stg_control__journal_entries') }}
    where entry_kind = 'earning'

),

paid_entries as (

    select entry_id
    from {{ ref('int_payouts__claims') }}
    where is_exported

),

of_leads as (

    select
        entries.*,
        entry_leads.lead_id as present_lead_id
    from entries
    inner join {{ ref('int_journal__entry_leads') }} as entry_leads
        on entries.entry_id = entry_leads.entry_id

),

after_earning as (

    select
        valid_events.lead_id,
        versions.after_earning
    from {{ ref('int_leads__valid_events') }} as valid_events
    inner join {{ ref('int_attribution__versions') }} as versions
        on
            valid_events.valid_date >= versions.valid_from_date
            and valid_events.valid_date < versions.valid_to_date

)

select
    of_leads.entry_id,
    of_leads.present_lead_id as lead_id,
    of_leads.lead_id as home_lead_id,
    after_earning.after_earning,
    coalesce({{ json_text('of_leads.explanation', 'decided_by') }}, '') not like 'ruling:%'
    and (
        after_earning.after_earning = 'pin'
        or (after_earning.after_earning = 'recompute_until_paid' and paid_entries.entry_id is not null)
    ) as is_pinning,
    of_leads.partner_id,
    of_leads.customer_id,
    of_leads.source_type,
    of_leads.source_id,
    components.trigger as stage,
    {
        'segment': of_leads.segment, 'effective_date': of_leads.effective_date, 'entry_id': of_leads.entry_id
    } as age,
    -- Entries of one partner alone, and those of earlier releases, name no credits: the partner had all.
    coalesce(
        {{ parsed_credits(json_text('of_leads.explanation', 'credits')) }},
        [{'partner_id': of_leads.partner_id, 'credit_ppm': 1000000}]
    ) as credits
from of_leads
inner join after_earning
    on of_leads.present_lead_id = after_earning.lead_id
left join {{ ref('stg_program__components') }} as components
    on
        of_leads.plan_id = components.plan_id
        and of_leads.plan_version = components.plan_version
        and of_leads.component_id = components.component_id
        and components.kind = 'event'
left join paid_entries
    on of_leads.entry_id = paid_entries.entry_id
where
    of_leads.payout_amount_minor <> 0
    -- What only takes back carries no explanation of an amount that is wanted.
    and {{ json_text('of_leads.explanation', 'desired_amount_minor') }} is not null
    and coalesce({{ json_text('of_leads.explanation', 'shape') }}, '') <> 'withdrawn'
    -- What was taken back to nothing stands no more. What a ruling takes has a key of its own.
    and of_leads.key_payout_amount_minor <> 0
