-- Grain: one row per touch (touch_id): what a partner's link, code, form, registration or CRM field
-- did on a lead, before any rule decides (A2). Unknown or expired codes give no touch: they are
-- exceptions. touch_id is the record's own id for touchpoints, source:entity:id for all others.
with

run as (

    select * from {{ ref('stg_program__run') }}

),

coded_records as (

    select
        'touchpoint' as record_type, touchpoint_id as record_id, source,
        touchpoint_id as touch_id, occurred_at, touch_type, code, partner_id
    from {{ ref('int_sources__touchpoints') }}

    union all

    select
        'form_submission', submission_id, source,
        source || ':form_submissions:' || submission_id, submitted_at, 'form_field', code, null
    from {{ ref('int_sources__form_submissions') }}
    where code is not null

    union all

    select
        'contact', contact_id, source,
        source || ':contacts:' || contact_id, created_at, 'crm_field', code, null
    from {{ ref('int_sources__contacts') }}
    where code is not null

    union all

    select
        'deal', deal_id, source,
        source || ':deals:' || deal_id, created_at, 'crm_field', code, null
    from {{ ref('int_sources__deals') }}
    where code is not null

    -- Customers and product events carry the code's own type, known once the code is resolved.
    union all

    select
        'customer', customer_id, source,
        source || ':customers:' || customer_id, created_at, null, code, null
    from {{ ref('int_sources__customers') }}
    where code is not null

    union all

    select
        'product_event', event_id, source,
        source || ':product_events:' || event_id, occurred_at, null, code, null
    from {{ ref('int_sources__product_events') }}
    where code is not null

    union all

    select
        'invoice', invoice_id, source,
        source || ':invoices:' || invoice_id, issued_at, 'promotion_code', code, null
    from {{ ref('int_billing__invoices') }}
    where code is not null

    union all

    select
        'deal_registration', registration_id, source,
        source || ':deal_registrations:' || registration_id, submitted_at,
        'deal_registration', null, partner_id
    from {{ ref('int_sources__deal_registrations') }}

    union all

    -- L1: a lead entered by staff for a partner stands for the form that the partner did not fill in.
    select
        'lead_entry', entry_id, source,
        source || ':lead_entries:' || entry_id, submitted_at, 'form_field', null, partner_id
    from {{ ref('int_sources__lead_entries') }}

),

-- A2: a registration that is not approved touches nothing; it is kept for its verdict. So is an entered
-- lead that was declined or withdrawn.
unapproved as (

    select 'deal_registration' as record_type, registration_id as record_id
    from {{ ref('int_sources__deal_registrations') }}
    where registration_status <> 'approved'

    union all

    select 'lead_entry', entries.entry_id
    from {{ ref('int_sources__lead_entries') }} as entries
    inner join {{ ref('int_sources__registration_decisions') }} as decisions
        on 'control:lead_entries:' || entries.entry_id = decisions.registration_key
    where decisions.decided_status in ('declined', 'withdrawn')

),

code_matches as (

    select
        coded_records.record_type,
        coded_records.record_id,
        codes.partner_id,
        codes.code_type,
        row_number() over (
            partition by coded_records.record_type, coded_records.record_id
            order by codes.starts_at desc, codes.arrival desc, codes.row_number desc
        ) as match_rank
    from coded_records
    inner join {{ ref('int_sources__partner_codes') }} as codes
        on
            upper(trim(coded_records.code)) = codes.code_key
            and coded_records.occurred_at >= codes.starts_at
            and coded_records.occurred_at < codes.ends_at

),

record_leads as (

    select record_type, record_id, lead_id
    from {{ ref('int_identity__lead_records') }}

    union all

    select 'invoice', invoices.invoice_id, lead_records.lead_id
    from {{ ref('int_billing__invoices') }} as invoices
    inner join {{ ref('int_identity__lead_records') }} as lead_records
        on
            lead_records.record_type = 'customer'
            and invoices.customer_id = lead_records.record_id
    where invoices.code is not null

)

select
    coded_records.touch_id,
    coded_records.record_type,
    coded_records.record_id,
    coded_records.source,
    coded_records.occurred_at,
    {{ local_date('coded_records.occurred_at') }} as occurred_date,
    coalesce(coded_records.touch_type, code_matches.code_type) as touch_type,
    coded_records.code,
    coalesce(coded_records.partner_id, code_matches.partner_id) as named_partner_id,
    partners.partner_id,
    record_leads.lead_id,
    unapproved.record_id is null as is_touch,
    coded_records.code is not null
    and coded_records.partner_id is null
    and code_matches.partner_id is null as is_unknown_code
from coded_records
left join code_matches
    on
        coded_records.record_type = code_matches.record_type
        and coded_records.record_id = code_matches.record_id
        and code_matches.match_rank = 1
left join {{ ref('int_sources__partners') }} as partners
    on coalesce(coded_records.partner_id, code_matches.partner_id) = partners.partner_id
left join unapproved
    on
        coded_records.record_type = unapproved.record_type
        and coded_records.record_id = unapproved.record_id
left join record_leads
    on
        coded_records.record_type = record_leads.record_type
        and coded_records.record_id = record_leads.record_id
cross join run
