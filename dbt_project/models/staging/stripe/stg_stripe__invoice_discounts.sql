-- Grain: one row per discount of a landed version of an invoice (source, id, arrival, row_number), in Stripe's order.
-- Up to API version 2025-03-31 an invoice embeds its one discount; from then on all of them, where they
-- were asked for: an id alone says nothing.
with

received as (

    select * from {{ source('stripe', 'stripe__invoices') }}

),

several as (

    select
        _source,
        _arrival,
        _row,
        object_id,
        unnest(cast(json_extract(payload, '$.discounts') as json[])) as discount,
        generate_subscripts(cast(json_extract(payload, '$.discounts') as json[]), 1) as discount_number
    from received

),

discounts as (

    select * from several
    union all
    select _source, _arrival, _row, object_id, json_extract(payload, '$.discount') as discount, 0 as discount_number
    from received

),

mapped as (

    select
        _source as source,
        _arrival as arrival,
        _row as row_number,
        object_id as invoice_id,
        discount_number,
        {{ json_id('discount', 'promotion_code') }} as promotion_code_id,
        coalesce({{ json_id('discount', 'source.coupon') }}, {{ json_id('discount', 'coupon') }}) as coupon_id
    from discounts

)

select * from mapped
where
    promotion_code_id is not null
    or coupon_id is not null
