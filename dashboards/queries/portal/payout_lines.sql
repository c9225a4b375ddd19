-- What does a payout consist of? Grain: one row per journal entry that its batch claims (entry_id), signed from
-- the partner's view. Reads marts.fct_entry_claims, marts.fct_commission_entries, marts.fct_leads.
with

claims as (

    select *
    from marts.fct_entry_claims
    where payout_id = $payout_id

),

entries as (

    select *
    from marts.fct_commission_entries
    where partner_id = $partner_id

)

select
    entries.commission_id,
    entries.entry_id,
    entries.entry_kind as kind,
    entries.component_id,
    entries.source_type,
    entries.cause_type,
    entries.effective_date,
    claims.claimed_amount_minor as amount_minor,
    entries.payout_currency_code,
    case when entries.source_type <> 'commission' then leads.company_domain end as company_domain,
    case when entries.source_type <> 'commission' then leads.email_masked end as email_masked
from claims
inner join entries
    on claims.entry_id = entries.entry_id
left join marts.fct_leads as leads
    on coalesce(entries.present_lead_id, entries.lead_id) = leads.lead_id
order by entries.effective_date desc, entries.entry_id
