-- Grain: one row per moment at which a paying lead's access ended (lead_id, subscription_id): no other
-- subscription of the lead was running any more (R5). An end before the anchor ends nothing paid.
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
        {{ local_date('ended.access_ended_at') }} as access_ended_date,
        anchors.anchor_date
    from subscriptions as ended
    inner join anchors
        on ended.lead_id = anchors.lead_id
    cross join run
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
    ends.*,
    {{ days_between('anchor_date', 'access_ended_date') }} as days_of_access
from ends
where access_ended_date >= anchor_date
