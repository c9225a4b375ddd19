-- Grain: one row per landed version of a Stripe promotion code (source, id, arrival, row_number).
-- partner_id stands in the metadata that sources.yml names; most codes belong to no partner.
with

received as (

    select * from {{ source('stripe', 'stripe__promotion_codes') }}

),

partner_fields as (

    {{ source_fields('partner_id') }}

),

mapped as (

    select
        received.*,
        {{ mapped_text('partner_fields.places', 'received.payload') }} as partner_id
    from received
    left join partner_fields
        on received._source = partner_fields.source

)

select
    _source as source,
    _arrival as arrival,
    _row as row_number,
    object_id as promotion_code_id,
    {{ json_text('payload', 'code') }} as code,
    partner_id,
    coalesce(
        {{ json_id('payload', 'promotion.coupon') }}, {{ json_id('payload', 'coupon') }}
    ) as coupon_id,
    {{ epoch_utc(json_text('payload', 'created')) }} as created_at
from mapped
