-- Grain: one row per lead that staff entered for a partner (entry_id), as known on as_of (L1, M6).
select
    registrations.registration_id as entry_id,
    'control' as source,
    registrations.partner_id,
    registrations.submitted_at,
    registrations.email,
    registrations.company_domain,
    registrations.deal_id,
    registrations.arrival
from {{ ref('stg_control__registrations') }} as registrations
cross join {{ ref('stg_program__run') }} as run
where
    registrations.entity = 'lead_entries'
    and registrations.submitted_at < run.as_of_end_at
