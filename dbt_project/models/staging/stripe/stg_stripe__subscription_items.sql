-- Grain: one row per item of a landed version of a Stripe subscription (source, id, arrival, row_number).
-- Items arrive inside their subscription; of one with more of them than it embeds, all arrive once more as
-- pages of their own (is_paged).
with

embedded as (

    select
        subscriptions._source,
        subscriptions._arrival,
        subscriptions._row,
        subscriptions.object_id as subscription_id,
        false as is_paged,
        items.element as item
    from {{ source('stripe', 'stripe__subscriptions') }} as subscriptions,
        {{ json_elements('subscriptions.payload', 'items.data', 'items') }}

),

paged as (

    select
        _source,
        _arrival,
        _row,
        parent_id as subscription_id,
        true as is_paged,
        payload as item
    from {{ source('stripe', 'stripe__subscription_items') }}
    where object_id <> ''

),

items as (

    select * from embedded
    union all
    select * from paged

)

select
    _source as source,
    _arrival as arrival,
    _row as row_number,
    {{ json_text('item', 'id') }} as subscription_item_id,
    subscription_id,
    is_paged,
    {{ json_text('item', 'price.id') }} as price_id,
    coalesce({{ json_id('item', 'price.product') }}, {{ json_id('item', 'plan.product') }}) as product_id,
    {{ json_text('item', 'quantity') }} as quantity_text,
    {{ epoch_utc(json_text('item', 'current_period_start')) }} as period_start_at,
    {{ epoch_utc(json_text('item', 'current_period_end')) }} as period_end_at
from items
