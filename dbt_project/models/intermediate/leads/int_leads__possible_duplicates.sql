-- Grain: one row per pair of leads that may be one company (lead_id, other_lead_id), or per group of more than
-- 20 leads, named by its first with the others only counted. Two leads are such a pair when their companies'
-- domains differ in the ending alone, or their companies' names in the CRM are the same but for the way they
-- are written. People decide; nothing is joined.
with

domains as (

    select
        lead_records.lead_id,
        records.company_domain as domain
    from {{ ref('int_identity__lead_records') }} as lead_records
    inner join {{ ref('int_identity__records') }} as records
        on
            lead_records.record_type = records.record_type
            and lead_records.record_id = records.record_id
    where records.is_business_company_domain

    union

    select
        lead_records.lead_id,
        records.email_domain
    from {{ ref('int_identity__lead_records') }} as lead_records
    inner join {{ ref('int_identity__records') }} as records
        on
            lead_records.record_type = records.record_type
            and lead_records.record_id = records.record_id
    where records.is_business_email_domain

),

traits as (

    select
        'domain' as trait,
        {{ domain_first_label('domain') }} as trait_key,
        lead_id,
        domain as spelling
    from domains

    union

    select
        'name',
        {{ company_name_key('companies.company_name') }},
        lead_records.lead_id,
        -- Names that are written alike are the same company too.
        companies.company_id
    from {{ ref('int_sources__companies') }} as companies
    inner join {{ ref('int_identity__lead_records') }} as lead_records
        on
            lead_records.record_type = 'company'
            and companies.company_id = lead_records.record_id
    where not companies.is_deleted

),

sharing as (

    select
        trait,
        trait_key,
        count(distinct lead_id) as leads,
        min(lead_id) as first_lead_id
    from traits
    where trait_key is not null
    group by trait, trait_key
    having
        count(distinct lead_id) > 1
        and count(distinct spelling) > 1

),

members as (

    select traits.*
    from traits
    inner join sharing
        on
            traits.trait = sharing.trait
            and traits.trait_key = sharing.trait_key
    where sharing.leads <= 20

),

pairs as (

    select
        members.lead_id,
        others.lead_id as other_lead_id,
        members.trait,
        members.trait_key
    from members
    inner join members as others
        on
            members.trait = others.trait
            and members.trait_key = others.trait_key
    where
        members.lead_id < others.lead_id
        and members.spelling <> others.spelling

),

pair_traits as (

    select
        lead_id,
        other_lead_id,
        -- The domain says more than the name.
        min(trait || ':' || trait_key) as trait
    from pairs
    group by lead_id, other_lead_id

)

select
    lead_id,
    other_lead_id,
    trait,
    cast(2 as bigint) as leads
from pair_traits

union all

select
    first_lead_id,
    cast(null as varchar),
    trait || ':' || trait_key,
    leads
from sharing
where leads > 20
