-- Grain: one row per key that was ever delivered (node_key) with the landing that brought it first and the
-- earliest instant that this landing told. Neither moves by what comes later. Older versions of a record count:
-- a key is as old as the first record that carried it, whatever carries it now. Keys known from decisions here
-- alone come after every landed one. Devices, companies and domains are here only where a submission without a
-- person began a lead by them (F4).
with

landed as (

    select
        arrival, created_at as told_at, false as is_submission, email, contact_id, cast(null as varchar) as customer_id, cast(null as varchar) as deal_id,
        cast(null as varchar) as anonymous_id, company_id, cast(null as varchar) as company_domain
    from {{ ref('int_received__contacts') }}

    union all

    select arrival, updated_at, false, null, null, null, null, null, company_id, company_domain
    from {{ ref('int_received__companies') }}

    union all

    select arrival, created_at, false, null, contact_id, null, deal_id, null, company_id, null
    from {{ ref('int_received__deals') }}

    union all

    select arrival, booked_at, true, email, contact_id, null, null, null, company_id, null
    from {{ ref('int_received__meetings') }}

    union all

    select arrival, submitted_at, true, email, null, null, null, anonymous_id, null, company_domain
    from {{ ref('int_received__form_submissions') }}

    union all

    select arrival, submitted_at, true, email, null, null, deal_id, null, null, company_domain
    from {{ ref('stg_files__deal_registrations') }}

    union all

    select arrival + 1000000000000, submitted_at, true, email, null, null, deal_id, null, null, company_domain
    from {{ ref('stg_control__registrations') }}

    union all

    select arrival, occurred_at, false, email, null, customer_id, null, anonymous_id, null, null
    from {{ ref('stg_files__product_events') }}

    union all

    select arrival, created_at, false, email, contact_id, customer_id, null, null, null, company_domain
    from {{ ref('int_received__customers') }}

    union all

    select arrival, issued_at, false, null, null, customer_id, null, null, null, null
    from {{ ref('int_received__invoices') }}

    union all

    select arrival, occurred_at, false, email, contact_id, customer_id, null, anonymous_id, null, company_domain
    from {{ ref('stg_files__touchpoints') }}

),

-- F4: a submission that names no person makes a lead of what it has.
impersonal as (

    select * from landed
    where
        is_submission
        and email is null
        and contact_id is null
        and deal_id is null

),

arrivals as (

    select 'email:' || {{ email_key('email') }} as node_key, {{ first_told() }} as first_told
    from landed
    where email is not null
    group by 1

    union all

    select 'contact:' || contact_id, {{ first_told() }}
    from landed
    where contact_id is not null
    group by 1

    union all

    select 'customer:' || customer_id, {{ first_told() }}
    from landed
    where customer_id is not null
    group by 1

    union all

    select 'deal:' || deal_id, {{ first_told() }}
    from landed
    where deal_id is not null
    group by 1

    union all

    select 'anonymous:' || anonymous_id, {{ first_told() }}
    from impersonal
    where anonymous_id is not null
    group by 1

    union all

    select 'company:' || company_id, {{ first_told() }}
    from impersonal
    where company_id is not null
    group by 1

    union all

    select 'domain:' || {{ domain_key('company_domain') }}, {{ first_told() }}
    from impersonal
    where company_domain is not null
    group by 1

)

select
    node_key,
    min(first_told).arrival as first_arrival,
    min(first_told).told_at as first_told_at
from arrivals
where node_key is not null
group by node_key
