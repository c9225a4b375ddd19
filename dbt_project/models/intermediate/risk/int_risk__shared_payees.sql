-- Grain: one row per partner who is paid to the same account as another (partner_id).
with

run as (

    select * from {{ ref('stg_program__run') }}

),

payees as (

    select partner_id, payee_fingerprint
    from {{ ref('stg_control__payees') }}
    where payee_fingerprint is not null

),

accounts as (

    select
        payee_fingerprint,
        count(*) as partners,
        string_agg(partner_id, ', ' order by partner_id) as partner_ids
    from payees
    group by payee_fingerprint
    having count(*) > 1

)

select
    'shared_payee' as kind,
    'medium' as severity,
    'partner' as subject_type,
    payees.partner_id as subject_id,
    payees.partner_id,
    cast(null as varchar) as lead_id,
    -- Another partner on the account is a new case.
    payees.payee_fingerprint || ':' || accounts.partner_ids as case_key,
    cast(accounts.partners as varchar) || ' partners are paid to one account: ' || accounts.partner_ids as evidence,
    run.as_of_end_at as detected_at
from payees
inner join accounts
    on payees.payee_fingerprint = accounts.payee_fingerprint
cross join run
