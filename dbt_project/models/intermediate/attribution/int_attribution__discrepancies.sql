-- Grain: one row per (lead_id, scope_type, scope_id, partner_id) that a pin or a ruling credits otherwise than
-- today's computation would (A6): a lead, or a customer or event of a joined lead that keeps its own partners
-- (decision 0031).
with

scopes as (

    select
        lead_id, 'lead' as scope_type, lead_id as scope_id, valid_at, decided_by, credits, computed_credits
    from {{ ref('int_attribution__decided_leads') }}
    where credits <> computed_credits

    union all

    -- Customers and events that go with their lead are told by the lead.
    select
        own.lead_id, 'customer', own.customer_id, own.valid_at, own.decided_by, own.credits, own.computed_credits
    from {{ ref('int_attribution__decided_customers') }} as own
    inner join {{ ref('int_attribution__decided_leads') }} as decided_leads
        on own.lead_id = decided_leads.lead_id
    where
        own.credits <> decided_leads.credits
        and own.is_overruled

    union all

    select
        own.lead_id, 'event', own.scope_id, own.valid_at, own.decided_by, own.credits, own.computed_credits
    from {{ ref('int_attribution__decided_events') }} as own
    inner join {{ ref('int_attribution__decided_leads') }} as decided_leads
        on own.lead_id = decided_leads.lead_id
    where
        own.credits <> decided_leads.credits
        and own.is_overruled

),

held as (

    select
        scopes.* exclude (credits, computed_credits),
        {{ unnested_credits('scopes.credits') }}
    from scopes

),

computed as (

    select
        scopes.* exclude (credits, computed_credits),
        {{ unnested_credits('scopes.computed_credits') }}
    from scopes

)

select
    coalesce(held.lead_id, computed.lead_id) as lead_id,
    coalesce(held.scope_type, computed.scope_type) as scope_type,
    coalesce(held.scope_id, computed.scope_id) as scope_id,
    coalesce(held.partner_id, computed.partner_id) as partner_id,
    case when coalesce(held.decided_by, computed.decided_by) = 'pinned' then 'pin' else 'ruling' end as held_by,
    coalesce(held.credit_ppm, 0) as credit_ppm,
    coalesce(computed.credit_ppm, 0) as computed_credit_ppm,
    coalesce(held.valid_at, computed.valid_at) as decided_at
from held
full outer join computed
    on
        held.scope_type = computed.scope_type
        and held.scope_id = computed.scope_id
        and held.partner_id = computed.partner_id
where coalesce(held.credit_ppm, 0) <> coalesce(computed.credit_ppm, 0)
