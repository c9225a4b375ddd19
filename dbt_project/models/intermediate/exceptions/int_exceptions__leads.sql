-- Grain: one row per exception about leads (kind, subject, what_to_do): what waits for an answer, who owns
-- them, and which of them may be the same.
{{ config(tags=['payouts']) }}

with

leads as (

    select * from {{ ref('int_leads__leads') }}

),

-- L5
stale_leads as (

    select
        'stale_lead' as kind,
        'info' as severity,
        'lead:' || lead_id as subject,
        cast(null as bigint) as amount_minor,
        cast(null as varchar) as currency_code,
        owner,
        last_moved_at as opened_at,
        'no movement for ' || cast(stale_days as varchar) || ' days; ask the owner for an update' as what_to_do
    from {{ ref('int_leads__stale_leads') }}

),

-- L5
overdue_updates as (

    select
        'update_overdue', 'warning', 'request:' || request_id, null, null, coalesce(owner, 'partnerships'), due_at,
        'the update asked of the ' || asked_of || ' on ' || coalesce('lead ' || lead_id, subject_key)
        || ' was due at ' || {{ shown_instant('due_at') }} || '; answer it or ask again'
    from {{ ref('int_leads__update_requests') }}
    where
        state = 'overdue'
        -- A stale lead is an exception already.
        and reason = 'asked'

),

partner_leads as (

    select lead_id
    from {{ ref('int_leads__verdicts') }}
    where is_competing

    union

    select lead_id
    from {{ ref('int_attribution__credits') }}

),

-- L5: nobody can be asked about it.
without_owner as (

    select
        'lead_without_owner', 'warning', 'lead:' || leads.lead_id, null, null, 'partnerships', leads.first_seen_at,
        'a partner brought this open lead and nobody owns it; give its deal or contact an owner in the CRM'
    from leads
    inner join partner_leads
        on leads.lead_id = partner_leads.lead_id
    where
        leads.owner is null
        and leads.stage in ('new', 'signup', 'demo_booked', 'demo_held', 'qualified')
        and leads.verdict in ('pending', 'valid')

),

open_deals as (

    select
        lead_records.lead_id,
        deals.created_at,
        {{ mailbox_name('deals.owner_email') }} as owner
    from {{ ref('int_sources__deals') }} as deals
    inner join {{ ref('int_identity__lead_records') }} as lead_records
        on
            lead_records.record_type = 'deal'
            and deals.deal_id = lead_records.record_id
    where
        not deals.is_won
        and not deals.is_lost
        and deals.owner_email is not null

),

-- L5: the newest deal's owner is asked, and may not know it.
different_owners as (

    select
        'owners_differ', 'warning', 'lead:' || open_deals.lead_id, null, null, max(leads.owner),
        max(open_deals.created_at),
        'its open deals are owned by ' || string_agg(distinct open_deals.owner, ', ' order by open_deals.owner)
        || '; agree on one owner in the CRM'
    from open_deals
    inner join leads
        on open_deals.lead_id = leads.lead_id
    group by open_deals.lead_id
    having count(distinct open_deals.owner) > 1

),

-- F3: a key that the guard takes out of identity joins nobody.
shared_keys as (

    select
        kind, 'warning', 'duplicate:' || duplicate_id, null, null, owner, found_at,
        case kind
            when 'shared_mailbox'
                then 'a mailbox stands on records of more customers than lead.max_customers_per_mailbox and joins nobody'
            else 'a device was used by more people than lead.max_people_per_device and joins nobody'
        end
        || '; correct the records or raise the limit'
    from {{ ref('int_leads__duplicates') }}
    where kind in ('shared_mailbox', 'shared_device')

),

-- Where no partner has a part in either lead, no money hangs on it: the table of duplicates lists it all the same.
possible_duplicates as (

    select
        duplicates.kind, 'info', 'lead:' || duplicates.lead_id, null, null, duplicates.owner, duplicates.found_at,
        case
            when duplicates.other_lead_id is null
                then 'more than 20 leads may be one company, see ' || duplicates.duplicate_id || ' in fct_duplicate_leads'
            else 'it may be one company with lead ' || duplicates.other_lead_id || ', ' || duplicates.evidence
        end
        || '; join their records in the CRM if so'
    from {{ ref('int_leads__duplicates') }} as duplicates
    left join partner_leads
        on duplicates.lead_id = partner_leads.lead_id
    left join partner_leads as other_partner_leads
        on duplicates.other_lead_id = other_partner_leads.lead_id
    where
        duplicates.kind = 'possible_duplicate'
        and (
            duplicates.other_lead_id is null
            or partner_leads.lead_id is not null
            or other_partner_leads.lead_id is not null
        )

)

select * from stale_leads
union all
select * from overdue_updates
union all
select * from without_owner
union all
select * from different_owners
union all
select * from shared_keys
union all
select * from possible_duplicates
