-- Grain: one row per credited lead that carries its partner's own e-mail or company domain (lead_id,
-- partner_id). Verdicts judge submissions (L4); a partner's own link or code on its own purchase is for people
-- to rule on. What partners paid to the same account use is the partner's own; agencies can be allow-listed.
with

credits as (

    select * from {{ ref('int_attribution__credits') }}

),

first_version as (

    select min_by(lead_version, valid_from_date) as lead_version
    from {{ ref('stg_program__lead_versions') }}

),

-- What became valid before the first version is judged by the first.
judged as (

    select
        credits.lead_id,
        credits.partner_id,
        credits.valid_at,
        coalesce(valid_events.lead_version, first_version.lead_version) as lead_version
    from credits
    inner join {{ ref('int_leads__valid_events') }} as valid_events
        on credits.lead_id = valid_events.lead_id
    cross join first_version

),

watched as (

    select judged.*
    from judged
    inner join {{ ref('stg_program__lead_versions') }} as versions
        on judged.lead_version = versions.lead_version
    left join {{ ref('stg_program__self_referral_allowed') }} as allowed
        on
            judged.lead_version = allowed.lead_version
            and judged.partner_id = allowed.partner_id
    where
        versions.self_referral = 'reject'
        and allowed.partner_id is null

),

own as (

    select
        watched.lead_id,
        watched.partner_id,
        watched.valid_at,
        identities.email_key,
        identities.company_domain
    from watched
    inner join {{ ref('int_leads__partner_identities') }} as identities
        on watched.partner_id = identities.partner_id

),

records as (

    select
        lead_records.lead_id,
        {{ record_key('records.source', 'records.record_type', 'records.record_id') }} as record_key,
        records.seen_at,
        records.email_key,
        case when records.is_business_email_domain then records.email_domain end as email_domain,
        case when records.is_business_company_domain then records.company_domain end as company_domain
    from {{ ref('int_identity__lead_records') }} as lead_records
    inner join {{ ref('int_identity__records') }} as records
        on
            lead_records.record_type = records.record_type
            and lead_records.record_id = records.record_id

),

matches as (

    select own.lead_id, own.partner_id, own.valid_at, 'email' as basis, records.record_key, records.seen_at
    from own
    inner join records
        on
            own.lead_id = records.lead_id
            and own.email_key = records.email_key

    union

    select own.lead_id, own.partner_id, own.valid_at, 'domain', records.record_key, records.seen_at
    from own
    inner join records
        on
            own.lead_id = records.lead_id
            and own.company_domain = records.email_domain

    union

    select own.lead_id, own.partner_id, own.valid_at, 'domain', records.record_key, records.seen_at
    from own
    inner join records
        on
            own.lead_id = records.lead_id
            and own.company_domain = records.company_domain

),

counted as (

    select
        lead_id,
        partner_id,
        basis,
        count(*) as records,
        min_by(
            record_key,
            {'seen_at': coalesce(seen_at, timestamp '2200-01-01'), 'record_key': record_key}
        ) as first_record_key,
        greatest(min(seen_at), max(valid_at)) as detected_at
    from matches
    group by lead_id, partner_id, basis

),

-- The e-mail says more than the domain, and stands for both.
strongest as (

    select
        counted.*,
        row_number() over (
            partition by lead_id, partner_id
            order by case basis when 'email' then 1 else 2 end
        ) as basis_rank
    from counted

)

select
    'self_referral' as kind,
    case basis when 'email' then 'high' else 'medium' end as severity,
    'lead' as subject_type,
    lead_id as subject_id,
    partner_id,
    lead_id,
    basis || ':' || partner_id as case_key,
    case basis when 'email' then 'the own e-mail' else 'the own company domain' end
    || ' of partner ' || partner_id || ', who is credited, stands on ' || cast(records as varchar)
    || case records when 1 then ' record' else ' records' end || ' of the lead, first on '
    || first_record_key as evidence,
    detected_at
from strongest
where basis_rank = 1
