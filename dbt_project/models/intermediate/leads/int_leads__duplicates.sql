-- Grain: one row per case of leads or claims that are, were or may be the same (duplicate_id): submissions that
-- lost to an earlier claim (L3), leads that were joined (F3), leads that may be one company, and mailboxes and
-- devices that too many share to join anybody. Keys of people are masked.
with

run as (

    select * from {{ ref('stg_program__run') }}

),

verdicts as (

    select * from {{ ref('int_leads__verdicts') }}

),

leads as (

    select * from {{ ref('int_leads__leads') }}

),

-- The partner who has most of a lead's credit.
credited as (

    select
        lead_id,
        min_by(partner_id, {'other_ppm': 1000000 - credit_ppm, 'partner_id': partner_id}) as partner_id
    from {{ ref('int_attribution__credits') }}
    group by lead_id

),

claims as (

    select
        case verdicts.verdict
            when 'duplicate_same_partner' then 'same_partner_claim'
            else 'other_partner_claim'
        end as kind,
        verdicts.submission_key as case_key,
        verdicts.lead_id,
        cast(null as varchar) as other_lead_id,
        verdicts.partner_id,
        rivals.partner_id as other_partner_id,
        verdicts.submission_key || ' came while ' || verdicts.rival_key || ' protected the lead' as evidence,
        verdicts.submitted_at as found_at
    from verdicts
    left join verdicts as rivals
        on verdicts.rival_key = rivals.submission_key
    where verdicts.verdict in ('duplicate_same_partner', 'duplicate_other_partner')

),

-- What an old id was made from says when that lead began.
beginnings as (

    select
        {{ lead_id('node_key') }} as lead_id,
        first_seen_at
    from {{ ref('int_identity__nodes') }}

),

merged as (

    select
        'merged_leads',
        aliases.alias_lead_id,
        aliases.lead_id,
        aliases.alias_lead_id,
        credited.partner_id,
        null,
        aliases.alias_lead_id || ' is part of ' || aliases.lead_id || ' since their records share a key',
        coalesce(aliases.joined_at, beginnings.first_seen_at)
    from {{ ref('int_identity__known_aliases') }} as aliases
    left join beginnings
        on aliases.alias_lead_id = beginnings.lead_id
    left join credited
        on aliases.lead_id = credited.lead_id

),

possible as (

    select
        'possible_duplicate',
        case
            when pairs.other_lead_id is null then pairs.trait
            else pairs.lead_id || ':' || pairs.other_lead_id
        end,
        pairs.lead_id,
        pairs.other_lead_id,
        credited.partner_id,
        others_credited.partner_id,
        case
            when pairs.other_lead_id is null then cast(pairs.leads as varchar) || ' leads share '
            else 'both leads have '
        end
        || case split_part(pairs.trait, ':', 1)
            when 'domain' then 'the domain ' || split_part(pairs.trait, ':', 2) || ' with different endings'
            else 'the company name ' || split_part(pairs.trait, ':', 2)
        end,
        greatest(leads.first_seen_at, others.first_seen_at)
    from {{ ref('int_leads__possible_duplicates') }} as pairs
    left join leads
        on pairs.lead_id = leads.lead_id
    left join leads as others
        on pairs.other_lead_id = others.lead_id
    left join credited
        on pairs.lead_id = credited.lead_id
    left join credited as others_credited
        on pairs.other_lead_id = others_credited.lead_id

),

shared as (

    select
        'shared_' || shared_keys.key_kind,
        shared_keys.node_key,
        null,
        null,
        null,
        null,
        case shared_keys.key_kind
            when 'mailbox'
                then 'mailbox ' || substr(split_part(shared_keys.node_key, ':', 2), 1, 1) || '***@'
                    || split_part(shared_keys.node_key, '@', 2) || ' stands on records of '
                    || cast(shared_keys.people as varchar) || ' customers'
            else 'device ' || substr(md5(shared_keys.node_key), 1, 12) || ' was used by '
                || cast(shared_keys.people as varchar) || ' people'
        end,
        run.as_of_end_at
    from {{ ref('int_identity__shared_keys') }} as shared_keys
    cross join run

),

cases as (

    select * from claims
    union all
    select * from merged
    union all
    select * from possible
    union all
    select * from shared

)

select
    'dup_' || substr(md5(cases.kind || chr(31) || cases.case_key), 1, 16) as duplicate_id,
    cases.kind,
    cases.lead_id,
    cases.other_lead_id,
    cases.partner_id,
    cases.other_partner_id,
    cases.evidence,
    cases.found_at,
    coalesce(leads.owner, others.owner, 'partnerships') as owner
from cases
left join leads
    on cases.lead_id = leads.lead_id
left join leads as others
    on cases.other_lead_id = others.lead_id
