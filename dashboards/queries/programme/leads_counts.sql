-- How many leads would each filter show, the others staying as they are?
-- Grain: one row per filter and its value (facet, code); facet all: what the present filters show.
-- Reads: marts.fct_leads, marts.fct_attributions, marts.fct_lead_submissions,
-- marts.dim_lead_aliases. The filters are those of leads.sql.
with

credited as (

    select distinct lead_id
    from marts.fct_attributions
    where
        is_paying
        and credit_ppm > 0

),

submitted as (

    select distinct
        lead_id,
        verdict
    from marts.fct_lead_submissions
    where lead_id is not null

),

leads as (

    select
        leads.lead_id,
        leads.stage,
        leads.verdict,
        leads.verdict = 'valid' and credited.lead_id is null as is_unattributed,
        $stage = '' or leads.stage = $stage as is_of_stage,
        $verdict = ''
        or leads.verdict = $verdict
        or ($verdict = 'unattributed' and leads.verdict = 'valid' and credited.lead_id is null)
            as is_of_verdict,
        $submission = ''
        or leads.lead_id in (select lead_id from submitted where verdict = $submission)
            as is_of_submission
    from marts.fct_leads as leads
    left join credited
        on leads.lead_id = credited.lead_id
    where
        (
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

)

select
    'all' as facet,
    '' as code,
    count(*) as leads
from leads
where
    is_of_stage
    and is_of_verdict
    and is_of_submission

union all

select
    'stage',
    stage,
    count(*)
from leads
where
    is_of_verdict
    and is_of_submission
group by stage

union all

select
    'verdict',
    verdict,
    count(*)
from leads
where
    is_of_stage
    and is_of_submission
group by verdict

union all

select
    'verdict',
    'unattributed',
    count(*)
from leads
where
    is_unattributed
    and is_of_stage
    and is_of_submission

union all

select
    'submission',
    submitted.verdict,
    count(*)
from leads
inner join submitted
    on leads.lead_id = submitted.lead_id
where
    leads.is_of_stage
    and leads.is_of_verdict
group by submitted.verdict
