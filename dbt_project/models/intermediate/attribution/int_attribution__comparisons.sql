-- Grain: one row per (lead_id, model) that is compared with what pays: the models that the lead's version of the
-- rules names, and `recomputed` for leads of which a pin or a ruling decides some part otherwise than the
-- computation (A6, A7).
with

decided_leads as (

    select * from {{ ref('int_attribution__decided_leads') }}

),

pinned_leads as (

    select lead_id from {{ ref('int_attribution__decided_customers') }}
    where is_overruled

    union

    select lead_id from {{ ref('int_attribution__decided_events') }}
    where
        is_overruled
        or not is_first_event

    union

    select lead_id from decided_leads
    where credits <> computed_credits

)

select
    decided_leads.lead_id,
    models.model
from decided_leads
inner join {{ ref('stg_program__attribution_models') }} as models
    on decided_leads.attribution_version = models.attribution_version
where not models.is_paying

union all

select lead_id, 'recomputed'
from pinned_leads
