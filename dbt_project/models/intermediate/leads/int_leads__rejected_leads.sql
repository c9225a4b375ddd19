-- Grain: one row per valid lead that earns nothing whatever its touches (lead_id): every domain it
-- carries is the programme's own or blocked under the rules of its valid event (L1, decision 0005).
with

domains as (

    select * from {{ ref('int_identity__lead_domains') }}

),

listed as (

    select
        valid_events.lead_id,
        domains.domain,
        bool_or(lead_domains.list_name = 'own') as is_own,
        bool_or(lead_domains.list_name = 'blocked') as is_blocked
    from {{ ref('int_leads__valid_events') }} as valid_events
    inner join domains
        on valid_events.lead_id = domains.lead_id
    left join {{ ref('stg_program__lead_domains') }} as lead_domains
        on
            valid_events.lead_version = lead_domains.lead_version
            and domains.domain = lead_domains.domain
    group by valid_events.lead_id, domains.domain

)

select
    lead_id,
    case when bool_or(coalesce(is_own, false)) then 'own_domain' else 'blocked' end as verdict
from listed
group by lead_id
having bool_and(coalesce(is_own, false) or coalesce(is_blocked, false))
