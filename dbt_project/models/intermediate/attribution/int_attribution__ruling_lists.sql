-- Grain: one row per approved ruling (ruling_id) with its whole list of credits, and the lead as it was named.
select
    ruling_id,
    lead_id as named_lead_id,
    arrival,
    decided_at,
    coalesce(
        {{ credit_list('partner_id', 'credit_ppm') }} filter (where partner_id is not null),
        {{ no_credits() }}
    ) as credits
from {{ ref('stg_control__rulings') }}
where state = 'approved'
group by ruling_id, lead_id, arrival, decided_at
