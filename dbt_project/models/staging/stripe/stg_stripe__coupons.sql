-- Grain: one row per landed version of a Stripe coupon (source, id, arrival, row_number).
-- partner_id stands in the metadata that sources.yml names; most codes belong to no partner.
with

received as (

    select * from {{ source('stripe', 'stripe__coupons') }}

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
    object_id as coupon_id,
    partner_id,
    {{ epoch_utc(json_text('payload', 'created')) }} as created_at
from mapped
