-- Grain: one row per landed version of a customer (source, customer_id, arrival, row_number), of any source.
-- A deleted customer keeps what was known of it.
select
    source, arrival, row_number, customer_id, created_at, email, company_domain, contact_id, country_code, code
from {{ ref('stg_files__customers') }}

union all

select
    source, arrival, row_number, customer_id, created_at, email, company_domain, contact_id, country_code, code
from {{ ref('stg_stripe__customers') }}
where not is_deleted
