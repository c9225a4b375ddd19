-- What was taken back in nights since $since, and why?
-- Grain: one row per journal entry that takes back. Reads: marts.fct_commission_entries, marts.fct_leads.
select
    entries.entry_id,
    entries.partner_id,
    entries.entry_kind as reason,
    -entries.payout_amount_minor as amount_minor,
    entries.payout_currency_code as currency_code,
    entries.effective_date,
    entries.segment,
    coalesce(leads.email_masked, leads.company_domain, 'a customer') as customer
from marts.fct_commission_entries as entries
left join marts.fct_leads as leads on entries.present_lead_id = leads.lead_id
where
    entries.entry_kind in ('refund', 'chargeback', 'credit_note', 'churn', 'correction')
    and entries.payout_amount_minor < 0
    and entries.recorded_at >= $since
order by entries.effective_date, entries.entry_id
