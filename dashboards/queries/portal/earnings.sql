-- Which earnings and take-backs does the partner have, why are they not paid yet, and when are they expected?
-- Grain: one row per commission_id, newest first. Base, record and customer of a share of what somebody else earns
-- are left out: they are that partner's. Of holds the kind alone, never the reason that people wrote.
-- Empty $status, $lead_id and $commission_id do not filter.
-- Reads marts.fct_commission_lines, marts.fct_commission_entries, marts.fct_leads.
with

lines as (

    select *
    from marts.fct_commission_lines
    where
        partner_id = $partner_id
        and effective_date >= $start
        and effective_date <= $end
        and ($status = '' or status = $status)
        and ($lead_id = '' or lead_id = $lead_id)
        and ($commission_id = '' or commission_id = $commission_id)

),

entries as (

    select *
    from marts.fct_commission_entries
    where partner_id = $partner_id

),

reversed_lines as (

    select
        entries.commission_id,
        min(reversed_entries.commission_id) as reverses_commission_id
    from entries
    inner join entries as reversed_entries
        on entries.reverses_entry_id = reversed_entries.entry_id
    group by entries.commission_id

)

select
    lines.commission_id,
    lines.kind,
    lines.effective_date,
    lines.available_date,
    lines.expected_pay_date,
    lines.status,
    case
        when lines.unpaid_reason like 'line_hold: dispute dsp_%' then 'own_question'
        else split_part(lines.unpaid_reason, ':', 1)
    end as unpaid_code,
    lines.plan_id,
    lines.plan_version,
    lines.component_id,
    lines.source_type,
    case when lines.source_type <> 'commission' then lines.source_id end as source_id,
    case when lines.source_type <> 'commission' then nullif(lines.cause_id, '') end as cause_id,
    nullif(lines.cause_type, '') as cause_type,
    case when lines.source_type <> 'commission' then lines.base_amount_minor end as base_amount_minor,
    lines.rate,
    lines.amount_minor,
    lines.currency_code,
    lines.payout_amount_minor,
    lines.payout_currency_code,
    lines.fx_rate,
    lines.fx_rate_date,
    case when lines.source_type <> 'commission' then lines.lead_id end as lead_id,
    case when lines.source_type <> 'commission' then leads.company_domain end as company_domain,
    case when lines.source_type <> 'commission' then leads.email_masked end as email_masked,
    reversed_lines.reverses_commission_id
from lines
left join marts.fct_leads as leads
    on lines.lead_id = leads.lead_id
left join reversed_lines
    on lines.commission_id = reversed_lines.commission_id
order by lines.effective_date desc, lines.earned_at desc, lines.commission_id
limit $limit
offset $offset
