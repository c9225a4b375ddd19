-- Grain: one row per key that too many people share to say who somebody is (node_key): a device of more
-- than max_people_per_device people, a mailbox of more than max_customers_per_mailbox customers. Such a
-- key joins nobody (F3, decision 0029); each is an exception.
with

limits as (

    select versions.max_people_per_device, versions.max_customers_per_mailbox
    from {{ ref('stg_program__lead_versions') }} as versions
    cross join {{ ref('stg_program__run') }} as run
    where
        versions.valid_from_date <= run.as_of
        and run.as_of < versions.valid_to_date

),

devices as (

    select
        'anonymous:' || anonymous_id as node_key,
        'device' as key_kind,
        greatest(count(distinct email_key), count(distinct customer_id)) as people
    from {{ ref('int_identity__records') }}
    where anonymous_id is not null
    group by anonymous_id

),

mailboxes as (

    select
        'email:' || email_key as node_key,
        'mailbox' as key_kind,
        greatest(
            count(distinct customer_id), count(distinct company_id), count(distinct company_domain)
        ) as people
    from {{ ref('int_identity__records') }}
    where email_key is not null
    group by email_key

)

select devices.*
from devices
inner join limits
    on devices.people > limits.max_people_per_device

union all

select mailboxes.*
from mailboxes
inner join limits
    on mailboxes.people > limits.max_customers_per_mailbox
