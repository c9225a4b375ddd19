-- Which commissions are not payable for now, and for which kind of reason? What people wrote stays inside: only the
-- word before the colon leaves.
-- Grain: one row per held earning. Reads: marts.fct_entry_holds, marts.fct_commission_entries, marts.fct_leads.
select
    entries.entry_id,
    entries.partner_id,
    split_part(holds.hold_reason, ':', 1) as reason,
    entries.payout_amount_minor as amount_minor,
    entries.payout_currency_code as currency_code,
    entries.effective_date,
    coalesce(leads.email_masked, leads.company_domain, 'a customer') as customer
from marts.fct_entry_holds as holds
inner join marts.fct_commission_entries as entries on holds.entry_id = entries.entry_id
left join marts.fct_leads as leads on entries.present_lead_id = leads.lead_id
where entries.payout_amount_minor > 0
order by entries.effective_date, entries.entry_id
