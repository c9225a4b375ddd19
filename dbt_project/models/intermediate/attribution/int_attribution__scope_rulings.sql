-- Grain: one row per customer or event that had earned and that an approved ruling decides (scope_type, scope_id):
-- the newest ruling on the lead it earned under, or on the lead that this one has joined, once the join was known
-- (A6, decision 0032). A ruling on one of two leads that join later takes nothing from the other.
with

homes as (

    select * from {{ ref('int_attribution__homes') }}

),

rulings as (

    select * from {{ ref('int_attribution__ruling_lists') }}

),

binding as (

    select
        homes.scope_type, homes.scope_id, rulings.ruling_id, rulings.arrival, rulings.credits, rulings.decided_at
    from homes
    inner join rulings
        on homes.home_lead_id = rulings.named_lead_id

    union all

    select
        homes.scope_type, homes.scope_id, rulings.ruling_id, rulings.arrival, rulings.credits, rulings.decided_at
    from homes
    inner join rulings
        on homes.lead_id = rulings.named_lead_id
    left join {{ ref('int_identity__known_aliases') }} as aliases
        on homes.home_lead_id = aliases.alias_lead_id
    where
        homes.home_lead_id <> homes.lead_id
        -- A join that nobody has recorded yet is of tonight: what was ruled before did not mean this lead. An id that
        -- is no alias of any key has only been renamed.
        and (aliases.alias_lead_id is null or aliases.joined_at <= rulings.decided_at)

)

select
    scope_type,
    scope_id,
    max_by(ruling_id, arrival) as ruling_id,
    max_by(credits, arrival) as credits,
    max_by(decided_at, arrival) as decided_at
from binding
group by scope_type, scope_id
