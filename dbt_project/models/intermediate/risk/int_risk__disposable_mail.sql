-- Grain: one row per credited lead, or pending one that a partner claims, of which a record carries a
-- disposable e-mail address (lead_id).
with

credited as (

    select
        lead_id,
        min_by(partner_id, {'other_ppm': 1000000 - credit_ppm, 'partner_id': partner_id}) as partner_id
    from {{ ref('int_attribution__credits') }}
    group by lead_id

),

claimed as (

    select
        verdicts.lead_id,
        min_by(
            verdicts.partner_id,
            {'submitted_at': verdicts.submitted_at, 'submission_key': verdicts.submission_key}
        ) as partner_id
    from {{ ref('int_leads__verdicts') }} as verdicts
    inner join {{ ref('int_leads__leads') }} as leads
        on verdicts.lead_id = leads.lead_id
    where
        verdicts.is_competing
        and leads.verdict = 'pending'
    group by verdicts.lead_id

),

watched as (

    select * from credited

    union all

    select claimed.*
    from claimed
    left join credited
        on claimed.lead_id = credited.lead_id
    where credited.lead_id is null

),

matches as (

    select
        watched.lead_id,
        watched.partner_id,
        records.email_domain,
        {{ record_key('records.source', 'records.record_type', 'records.record_id') }} as record_key,
        records.seen_at
    from watched
    inner join {{ ref('int_identity__lead_records') }} as lead_records
        on watched.lead_id = lead_records.lead_id
    inner join {{ ref('int_identity__records') }} as records
        on
            lead_records.record_type = records.record_type
            and lead_records.record_id = records.record_id
    inner join {{ ref('stg_program__shared_mail_domains') }} as shared
        on records.email_domain = shared.domain
    where shared.kind = 'disposable'

)

select
    'disposable_mail' as kind,
    'low' as severity,
    'lead' as subject_type,
    lead_id as subject_id,
    max(partner_id) as partner_id,
    lead_id,
    '' as case_key,
    cast(count(*) as varchar) || case count(*) when 1 then ' record' else ' records' end
    || ' of the lead with an address at ' || string_agg(distinct email_domain, ', ' order by email_domain)
    || ', first ' || min_by(
        record_key,
        {'seen_at': coalesce(seen_at, timestamp '2200-01-01'), 'record_key': record_key}
    ) as evidence,
    min(seen_at) as detected_at
from matches
group by lead_id
