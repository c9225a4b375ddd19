-- Grain: one row per lead whose access ended (lead_id): the first moment after its anchor at which no
-- subscription of it was running any more (R5).
with

run as (

    select * from {{ ref('stg_program__run') }}

),

subscriptions as (

    select
        lead_records.lead_id,
        subscriptions.subscription_id,
        subscriptions.started_at,
        subscriptions.access_ended_at
    from {{ ref('int_sources__subscriptions') }} as subscriptions
    inner join {{ ref('int_identity__lead_records') }} as lead_records
        on
            lead_records.record_type = 'customer'
            and subscriptions.customer_id = lead_records.record_id

),

anchors as (

    select
        lead_records.lead_id,
        min(anchors.anchor_at) as anchor_at,
        min(anchors.anchor_date) as anchor_date
    from {{ ref('int_billing__anchors') }} as anchors
    inner join {{ ref('int_identity__lead_records') }} as lead_records
        on
            lead_records.record_type = 'customer'
            and anchors.customer_id = lead_records.record_id
    group by lead_records.lead_id

),

ends as (

    select
        ended.lead_id,
        ended.subscription_id,
        ended.access_ended_at,
        anchors.anchor_date
    from subscriptions as ended
    inner join anchors
        on
            ended.lead_id = anchors.lead_id
            and ended.access_ended_at >= anchors.anchor_at
    where
        ended.access_ended_at is not null
        and not exists (
            select 1
            from subscriptions as others
            where
                others.lead_id = ended.lead_id
                and others.subscription_id <> ended.subscription_id
                and others.started_at <= ended.access_ended_at
                and (others.access_ended_at is null or others.access_ended_at > ended.access_ended_at)
        )

)

select
    ends.lead_id,
    min_by(
        ends.subscription_id,
        {'ended_at': ends.access_ended_at, 'subscription_id': ends.subscription_id}
    ) as subscription_id,
    min(ends.access_ended_at) as churned_at,
    {{ local_date('min(ends.access_ended_at)', 'min(run.timezone)') }} as churned_date,
    min(ends.anchor_date) as anchor_date,
    {{ days_between('min(ends.anchor_date)', local_date('min(ends.access_ended_at)', 'min(run.timezone)')) }} as days_of_access
from ends
cross join run
group by ends.lead_id
