-- Grain: one row per landed version of a subscription (source, subscription_id, arrival, row_number), of any source.
select
    source, arrival, row_number, subscription_id, customer_id, subscription_status, started_at, canceled_at, ended_at
from {{ ref('stg_files__subscriptions') }}

union all

select
    source, arrival, row_number, subscription_id, customer_id, subscription_status, started_at, canceled_at, ended_at
from {{ ref('stg_stripe__subscriptions') }}
