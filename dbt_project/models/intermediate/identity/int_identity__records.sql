-- Grain: one row per record that can belong to a lead (record_type, record_id), with every key it
-- carries (F3). identity_keys are normalised; a shared mail domain is no company key.
with

records as (

    select
        'contact' as record_type, contact_id as record_id, source, created_at as seen_at,
        email, contact_id, merged_into_id as alias_contact_id,
        company_id, cast(null as varchar) as alias_company_id, cast(null as varchar) as company_domain,
        cast(null as varchar) as customer_id, cast(null as varchar) as anonymous_id,
        cast(null as varchar) as deal_id, cast(null as varchar) as alias_deal_id
    from {{ ref('int_sources__contacts') }}

    union all

    select
        'company', company_id, source, updated_at,
        null, null, null, company_id, merged_into_id, company_domain, null, null, null, null
    from {{ ref('int_sources__companies') }}

    union all

    select
        'deal', deal_id, source, created_at,
        null, contact_id, null, company_id, null, null, null, null, deal_id, merged_into_id
    from {{ ref('int_sources__deals') }}

    union all

    select
        'meeting', meeting_id, source, booked_at,
        email, contact_id, null, company_id, null, null, null, null, null, null
    from {{ ref('int_sources__meetings') }}

    union all

    select
        'form_submission', submission_id, source, submitted_at,
        email, null, null, null, null, company_domain, null, anonymous_id, null, null
    from {{ ref('int_sources__form_submissions') }}

    union all

    select
        'deal_registration', registration_id, source, submitted_at,
        email, null, null, null, null, company_domain, null, null, deal_id, null
    from {{ ref('int_sources__deal_registrations') }}

    union all

    select
        'lead_entry', entry_id, source, submitted_at,
        email, null, null, null, null, company_domain, null, null, deal_id, null
    from {{ ref('int_sources__lead_entries') }}

    union all

    select
        'product_event', event_id, source, occurred_at,
        email, null, null, null, null, null, customer_id, anonymous_id, null, null
    from {{ ref('int_sources__product_events') }}

    union all

    select
        'customer', customer_id, source, created_at,
        email, contact_id, null, null, null, company_domain, customer_id, null, null, null
    from {{ ref('int_sources__customers') }}

    union all

    -- A customer known only from an invoice is a lead too: its money must show (L6).
    select
        'customer', invoices.customer_id, min(invoices.source), min(invoices.issued_at),
        null, null, null, null, null, null, invoices.customer_id, null, null, null
    from {{ ref('int_billing__invoices') }} as invoices
    left join {{ ref('int_sources__customers') }} as customers
        on invoices.customer_id = customers.customer_id
    where customers.customer_id is null
    group by invoices.customer_id

    union all

    select
        'touchpoint', touchpoint_id, source, occurred_at,
        email, contact_id, null, null, null, company_domain, customer_id, anonymous_id, null, null
    from {{ ref('int_sources__touchpoints') }}

),

keyed as (

    select
        records.* exclude (email, company_domain),
        {{ email_key('records.email') }} as email_key,
        {{ email_domain('records.email') }} as email_domain,
        {{ domain_key('records.company_domain') }} as company_domain
    from records

)

select
    keyed.*,
    mail.domain is null and keyed.email_domain is not null as is_business_email_domain,
    companies.domain is null and keyed.company_domain is not null as is_business_company_domain
from keyed
left join {{ ref('stg_program__shared_mail_domains') }} as mail
    on keyed.email_domain = mail.domain
left join {{ ref('stg_program__shared_mail_domains') }} as companies
    on keyed.company_domain = companies.domain
