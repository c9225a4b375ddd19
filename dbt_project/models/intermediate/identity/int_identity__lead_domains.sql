-- Grain: one row per (lead_id, domain): every domain that the lead's people and companies carry,
-- shared mail domains included, for the own-domain and blocked-domain rules (L1).
select distinct
    lead_records.lead_id,
    domains.domain
from {{ ref('int_identity__lead_records') }} as lead_records
inner join (
    select record_type, record_id, email_domain as domain
    from {{ ref('int_identity__records') }}
    union all
    select record_type, record_id, company_domain
    from {{ ref('int_identity__records') }}
) as domains
    on
        lead_records.record_type = domains.record_type
        and lead_records.record_id = domains.record_id
where domains.domain is not null
