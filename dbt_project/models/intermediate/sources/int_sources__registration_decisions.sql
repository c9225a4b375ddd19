-- Grain: one row per registration or entered lead that people decided on (registration_key): its status and
-- its end, the newest decision of each counting. A decision counts as soon as it is recorded (decision 0030).
with

decisions as (

    select * from {{ ref('stg_control__registration_decisions') }}

)

select
    registration_key,
    max_by(decision, seq) filter (where decision <> 'extended') as decided_status,
    max_by(decided_at, seq) filter (where decision <> 'extended') as decided_at,
    max_by(expires_at, seq) filter (where expires_at is not null) as expires_at
from decisions
group by registration_key
