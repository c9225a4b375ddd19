-- Grain: one row per customer (customer_id), from the first-ranked source that delivers it (F1, F2, M6).
-- What a higher-ranked source leaves empty is taken from the next one.
with

landed as (

    select * from {{ ref('int_received__customers') }}

),

newest as (

    {{ newest_versions('landed', ['customer_id']) }}

),

ordered as (

    select newest.*, sources.source_rank
    from newest
    inner join {{ ref('stg_program__sources') }} as sources
        on newest.source = sources.source

)

select
    customer_id,
    min_by(source, source_rank) as source,
    min(created_at) as created_at,
    min_by(email, source_rank) filter (where email is not null) as email,
    min_by(company_domain, source_rank) filter (where company_domain is not null) as company_domain,
    min_by(contact_id, source_rank) filter (where contact_id is not null) as contact_id,
    min_by(country_code, source_rank) filter (where country_code is not null) as country_code,
    min_by(code, source_rank) filter (where code is not null) as code
from ordered
where created_at < (select as_of_end_at from {{ ref('stg_program__run') }})
group by customer_id
