-- Grain: one row per submission (submission_key): a form with a partner's code, a deal registration or an
-- entered lead, with the facts that the verdict needs (L1). Nothing is judged here.
with

run as (

    select * from {{ ref('stg_program__run') }}

),

touches as (

    select * from {{ ref('int_leads__touches') }}
    where
        (record_type = 'form_submission' and partner_id is not null)
        or record_type in ('deal_registration', 'lead_entry')

),

records as (

    select * from {{ ref('int_identity__records') }}

),

registrations as (

    select
        'deal_registration' as record_type,
        registration_id,
        registration_status,
        expires_at
    from {{ ref('int_sources__deal_registrations') }}

    union all

    select
        'lead_entry',
        entries.entry_id,
        coalesce(decisions.decided_status, 'entered'),
        cast(null as timestamp)
    from {{ ref('int_sources__lead_entries') }} as entries
    left join {{ ref('int_sources__registration_decisions') }} as decisions
        on 'control:lead_entries:' || entries.entry_id = decisions.registration_key

),

-- What was submitted before the first version is judged by the first.
lead_versions as (

    select
        versions.* exclude (valid_from_date),
        case
            when valid_from_date = min(valid_from_date) over () then date '1900-01-01'
            else valid_from_date
        end as valid_from_date
    from {{ ref('stg_program__lead_versions') }} as versions

)

select
    touches.source || ':' || case touches.record_type
        when 'lead_entry' then 'lead_entries'
        else touches.record_type || 's'
    end || ':' || touches.record_id as submission_key,
    touches.touch_id,
    touches.record_type,
    touches.record_id,
    touches.source,
    touches.lead_id,
    touches.named_partner_id as partner_id,
    touches.partner_id is not null as is_known_partner,
    touches.occurred_at as submitted_at,
    coalesce(registrations.registration_status, 'form') as registration_status,
    registrations.expires_at,
    records.email_key,
    records.email_domain,
    records.company_domain,
    lead_versions.lead_version,
    lead_versions.existing_customer as existing_customer_rule,
    lead_versions.open_opportunity as open_opportunity_rule,
    lead_versions.self_referral as self_referral_rule,
    coalesce(
        registrations.expires_at,
        {{ add_days_24h('touches.occurred_at', 'lead_versions.protection_days') }}
    ) as protected_until_at
from touches
inner join records
    on
        touches.record_type = records.record_type
        and touches.record_id = records.record_id
left join registrations
    on
        touches.record_type = registrations.record_type
        and touches.record_id = registrations.registration_id
left join lead_versions
    on
        touches.occurred_date >= lead_versions.valid_from_date
        and touches.occurred_date < lead_versions.valid_to_date
