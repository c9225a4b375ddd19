-- Grain: one row per company (company_id), the newest version known on as_of (F1, M6), deleted and merged ones included (F3).
with

landed as (

    select * from {{ ref('int_received__companies') }}

),

newest as (

    {{ newest_versions('landed', ['company_id'], 'updated_at') }}

),

-- F3: edges of deleted records stay: what a tombstone leaves empty keeps its last value.
last_values as (

    select
        source,
        company_id,
        max_by(company_domain, {'arrival': arrival, 'row_number': row_number}) filter (where company_domain is not null) as company_domain
    from landed
    where
        updated_at is null
        or updated_at < (select as_of_end_at from {{ ref('stg_program__run') }})
    group by source, company_id

),

kept as (

    select
        newest.* exclude (company_domain),
        case when newest.is_deleted then coalesce(newest.company_domain, last_values.company_domain) else newest.company_domain end as company_domain
    from newest
    inner join last_values
        on
            newest.source = last_values.source
            and newest.company_id = last_values.company_id

),

ranked as (

    {{ best_ranked('kept', ['company_id']) }}

)

select *
from ranked
