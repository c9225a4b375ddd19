-- Grain: one row per contact (contact_id), the newest version known on as_of (F1, M6), deleted and merged ones included (F3).
with

landed as (

    select * from {{ ref('int_received__contacts') }}

),

newest as (

    {{ newest_versions('landed', ['contact_id'], 'updated_at') }}

),

-- F3: edges of deleted records stay: what a tombstone leaves empty keeps its last value.
last_values as (

    select
        source,
        contact_id,
        max_by(email, {'arrival': arrival, 'row_number': row_number}) filter (where email is not null) as email,
        max_by(company_id, {'arrival': arrival, 'row_number': row_number}) filter (where company_id is not null) as company_id,
        max_by(code, {'arrival': arrival, 'row_number': row_number}) filter (where code is not null) as code,
        max_by(owner_email, {'arrival': arrival, 'row_number': row_number}) filter (where owner_email is not null) as owner_email
    from landed
    where
        updated_at is null
        or updated_at < (select as_of_end_at from {{ ref('stg_program__run') }})
    group by source, contact_id

),

kept as (

    select
        newest.* exclude (email, company_id, code, owner_email),
        case when newest.is_deleted then coalesce(newest.email, last_values.email) else newest.email end as email,
        case when newest.is_deleted then coalesce(newest.company_id, last_values.company_id) else newest.company_id end as company_id,
        case when newest.is_deleted then coalesce(newest.code, last_values.code) else newest.code end as code,
        case when newest.is_deleted then coalesce(newest.owner_email, last_values.owner_email) else newest.owner_email end as owner_email
    from newest
    inner join last_values
        on
            newest.source = last_values.source
            and newest.contact_id = last_values.contact_id

),

ranked as (

    {{ best_ranked('kept', ['contact_id']) }}

)

select *
from ranked
where created_at < (select as_of_end_at from {{ ref('stg_program__run') }})
