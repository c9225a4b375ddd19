-- Grain: one row per landed version of a form submission (source, submission_id, arrival, row_number), of any
-- source. A calendar booking that carries a partner's code is a submission too; tracking parameters that are
-- nobody's code are no unknown codes.
{% set columns = 'source, arrival, row_number, submission_id, form_id, submitted_at, email, company_domain, anonymous_id, code, utm_source, utm_campaign' -%}
select {{ columns }}
from {{ ref('stg_files__form_submissions') }}

union all

select {{ columns }}
from {{ ref('stg_hubspot__form_submissions') }}

union all

select {{ columns }}
from {{ ref('stg_typeform__responses') }}

union all

select
    source, arrival, row_number, meeting_id, form_id, booked_at, email, cast(null as varchar) as company_domain,
    cast(null as varchar) as anonymous_id, code, utm_source, utm_campaign
from {{ ref('int_received__bookings') }}
where
    upper(trim(code)) in (select upper(trim(codes.code)) from {{ ref('int_received__partner_codes') }} as codes)
