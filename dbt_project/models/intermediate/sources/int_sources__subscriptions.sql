-- Grain: one row per subscription (subscription_id), the newest version known on as_of (F1, F2, M6).
-- Access ends when it ended, else when it was cancelled (R5); an end after as_of has not come yet. A
-- subscription that still runs although its end is arranged (cancelled at period end) has not ended.
with

landed as (

    select * from {{ ref('int_received__subscriptions') }}

),

newest as (

    {{ newest_versions('landed', ['subscription_id']) }}

),

ranked as (

    {{ best_ranked('newest', ['subscription_id']) }}

),

ended as (

    select
        subscription_id,
        coalesce(
            ended_at,
            case when subscription_status not in ('active', 'trialing', 'past_due') then canceled_at end
        ) as ended_at
    from ranked

)

select
    ranked.subscription_id,
    ranked.source,
    ranked.customer_id,
    ranked.subscription_status,
    ranked.started_at,
    case
        when ended.ended_at < run.as_of_end_at then ended.ended_at
    end as access_ended_at
from ranked
inner join ended
    on ranked.subscription_id = ended.subscription_id
cross join {{ ref('stg_program__run') }} as run
where ranked.started_at < run.as_of_end_at
