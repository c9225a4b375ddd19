-- Which leads match, newest movement first? One page of them.
-- Grain: one row per lead (lead_id). Reads: marts.fct_leads, marts.fct_attributions,
-- marts.fct_lead_submissions, marts.dim_lead_aliases.
-- The filters are those of leads_counts.sql.
with

credited_leads as (

    select distinct lead_id
    from marts.fct_attributions
    where
        is_paying
        and credit_ppm > 0

),

shown as (

    select leads.*
    from marts.fct_leads as leads
    left join credited_leads
        on leads.lead_id = credited_leads.lead_id
    where
        ($stage = '' or leads.stage = $stage)
        and (
            $verdict = ''
            or leads.verdict = $verdict
            or ($verdict = 'unattributed' and leads.verdict = 'valid' and credited_leads.lead_id is null)
        )
        and (
            $submission = ''
            or leads.lead_id in (
                select lead_id from marts.fct_lead_submissions where verdict = $submission
            )
        )
        and (
            $partner = ''
            or leads.lead_id in (
                select lead_id from marts.fct_attributions
                where is_paying and credit_ppm > 0 and partner_id = $partner
                union all
                select lead_id from marts.fct_lead_submissions where partner_id = $partner
            )
        )
        and (
            $owner = ''
            or leads.owner = $owner
            or ($owner = 'nobody' and leads.owner is null)
        )
        and (
            $search = ''
            or leads.lead_id = $search
            or leads.customer_id = $search
            or contains(lower(leads.company_domain), lower($search))
            or leads.lead_id in (
                select lead_id from marts.dim_lead_aliases where alias_lead_id = $search
            )
        )
    order by leads.last_moved_at desc nulls last, leads.lead_id
    limit $limit offset $offset

),

credited as (

    select
        lead_id,
        string_agg(partner_id, ', ' order by credit_ppm desc, partner_id) as partners
    from marts.fct_attributions
    where
        is_paying
        and credit_ppm > 0
        and lead_id in (select lead_id from shown)
    group by lead_id

)

select
    shown.*,
    credited.partners
from shown
left join credited
    on shown.lead_id = credited.lead_id
order by shown.last_moved_at desc nulls last, shown.lead_id
