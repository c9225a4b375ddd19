-- Grain: one row per (partner_id, identity_partner_id): the e-mail and the company domain under which a
-- partner is known, its own and those of partners who are paid to the same account (L4).
with

partners as (

    select
        partner_id,
        {{ email_key('email') }} as email_key,
        {{ domain_key('company_domain') }} as company_domain
    from {{ ref('int_sources__partners') }}

),

payees as (

    select partner_id, payee_fingerprint
    from {{ ref('stg_control__payees') }}
    where payee_fingerprint is not null

),

same_payee as (

    select
        payees.partner_id,
        others.partner_id as identity_partner_id
    from payees
    inner join payees as others
        on
            payees.payee_fingerprint = others.payee_fingerprint
            and payees.partner_id <> others.partner_id

)

select
    partner_id,
    partner_id as identity_partner_id,
    email_key,
    company_domain
from partners

union all

select
    same_payee.partner_id,
    same_payee.identity_partner_id,
    partners.email_key,
    partners.company_domain
from same_payee
inner join partners
    on same_payee.identity_partner_id = partners.partner_id
