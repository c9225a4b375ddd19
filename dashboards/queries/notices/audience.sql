-- Which partners are told about a lead? Those who are credited with it; while nobody is, those whose submission is
-- accepted. Nobody learns about a lead that protects another partner (L3).
-- Grain: one row per lead and partner. Reads: marts.fct_attributions, marts.fct_lead_submissions, marts.fct_leads.
with

credited as (

    select distinct lead_id, partner_id
    from marts.fct_attributions
    where is_paying and credit_ppm > 0

),

submitted as (

    select distinct submissions.lead_id, submissions.partner_id
    from marts.fct_lead_submissions as submissions
    left join credited on submissions.lead_id = credited.lead_id
    where submissions.verdict in ('pending', 'valid') and credited.lead_id is null

),

told as (

    select * from credited
    union all
    select * from submitted

)

select
    told.lead_id,
    told.partner_id,
    coalesce(leads.email_masked, leads.company_domain, 'a lead without an address') as customer
from told
inner join marts.fct_leads as leads on told.lead_id = leads.lead_id
