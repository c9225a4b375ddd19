-- Grain: one row per landed version of a Stripe price (source, id, arrival, row_number).
-- Renames and casts only; shapes before and after API version 2025-03-31 are both read.
with

received as (

    select * from {{ source('stripe', 'stripe__prices') }}

)

select
    _source as source,
    _arrival as arrival,
    _row as row_number,
    object_id as price_id,
    {{ json_id('payload', 'product') }} as product_id,
    {{ json_text('payload', 'type') }} as price_type,
    {{ json_text('payload', 'recurring.usage_type') }} as usage_type
from received
