-- A failing row: after posting, the journal does not add up to what the facts and terms say (J2).
{{ config(tags=['payouts']) }}

with

posted as (

    select
        commission_id,
        sum(amount_minor) as amount_minor,
        sum(payout_amount_minor) as payout_amount_minor
    from {{ ref('fct_commission_entries') }}
    where
        entry_kind in ({{ computed_kinds() }})
    group by commission_id

),

desired as (

    select * from {{ ref('fct_commission_lines') }}

)

select
    coalesce(desired.commission_id, posted.commission_id) as commission_id,
    desired.amount_minor as desired_amount_minor,
    posted.amount_minor as posted_amount_minor
from desired
full outer join posted
    on desired.commission_id = posted.commission_id
where
    coalesce(desired.amount_minor, 0) <> coalesce(posted.amount_minor, 0)
    or coalesce(desired.payout_amount_minor, 0) <> coalesce(posted.payout_amount_minor, 0)
