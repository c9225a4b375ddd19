-- What are these lines, in short? Grain: one row per commission_id among $commission_ids.
-- Reads marts.fct_commission_lines, marts.fct_leads.
select
    lines.commission_id,
    lines.kind,
    lines.effective_date,
    lines.payout_amount_minor,
    lines.payout_currency_code,
    case when lines.source_type <> 'commission' then leads.company_domain end as company_domain,
    case when lines.source_type <> 'commission' then leads.email_masked end as email_masked
from marts.fct_commission_lines as lines
left join marts.fct_leads as leads
    on lines.lead_id = leads.lead_id
where
    lines.partner_id = $partner_id
    and list_contains(cast($commission_ids as varchar[]), lines.commission_id)
