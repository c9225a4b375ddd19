-- Grain: one row per landed version of a subscription (source, id, arrival, row_number).
-- Renames and casts only (M5 for instants); the newest version is chosen downstream (F1).
with

received as (

    select * from {{ source('files', 'files__subscriptions') }}

)

select
    _source as source,
    _arrival as arrival,
    _row as row_number,
    subscription_id,
    customer_id,
    status as subscription_status,
    {{ utc('started_at') }} as started_at,
    {{ utc('trial_end') }} as trial_end_at,
    {{ utc('canceled_at') }} as canceled_at,
    {{ utc('ended_at') }} as ended_at
from received
