-- Grain: one row per (record, key): every key of every record that joins it, the first one marked (F3, F4).
-- Person keys: e-mail, contact, deal, customer, anonymous id. Company keys (company, domain) join
-- only under lead.scope account. A shared mailbox or device joins a record only if it has nothing else.
with

records as (

    select * from {{ ref('int_identity__records') }}

),

scope as (

    select versions.scope
    from {{ ref('stg_program__lead_versions') }} as versions
    cross join {{ ref('stg_program__run') }} as run
    where
        versions.valid_from_date <= run.as_of
        and run.as_of < versions.valid_to_date

),

shared as (

    select * from {{ ref('int_identity__shared_keys') }}

),

keys as (

    select record_type, record_id, seen_at, 1 as key_rank, 'contact:' || contact_id as node_key
    from records
    where contact_id is not null

    union all

    select record_type, record_id, seen_at, 2, 'contact:' || alias_contact_id
    from records
    where alias_contact_id is not null

    union all

    select record_type, record_id, seen_at, 3, 'email:' || email_key
    from records
    where email_key is not null

    union all

    select record_type, record_id, seen_at, 4, 'customer:' || customer_id
    from records
    where customer_id is not null

    union all

    select record_type, record_id, seen_at, 5, 'deal:' || deal_id
    from records
    where deal_id is not null

    union all

    select record_type, record_id, seen_at, 5, 'deal:' || alias_deal_id
    from records
    where alias_deal_id is not null

    union all

    select record_type, record_id, seen_at, 6, 'anonymous:' || anonymous_id
    from records
    where anonymous_id is not null

    union all

    select records.record_type, records.record_id, records.seen_at, 7, 'company:' || records.company_id
    from records
    inner join scope on scope.scope = 'account'
    where records.company_id is not null

    union all

    select records.record_type, records.record_id, records.seen_at, 8, 'company:' || records.alias_company_id
    from records
    inner join scope on scope.scope = 'account'
    where records.alias_company_id is not null

    union all

    select records.record_type, records.record_id, records.seen_at, 9, 'domain:' || records.company_domain
    from records
    inner join scope on scope.scope = 'account'
    where records.is_business_company_domain

    union all

    -- The domain of a shared mailbox says as little as the mailbox.
    select records.record_type, records.record_id, records.seen_at, 10, 'domain:' || records.email_domain
    from records
    inner join scope on scope.scope = 'account'
    left join shared on 'email:' || records.email_key = shared.node_key
    where
        records.is_business_email_domain
        and shared.node_key is null

),

marked as (

    select
        keys.*,
        shared.node_key is not null as is_shared
    from keys
    left join shared
        on keys.node_key = shared.node_key

),

numbered as (

    select
        *,
        row_number() over (
            partition by record_type, record_id
            order by is_shared, key_rank, node_key
        ) as key_number
    from marked

)

select
    record_type,
    record_id,
    seen_at,
    key_rank,
    node_key,
    key_number
from numbered
where
    not is_shared
    or key_number = 1
