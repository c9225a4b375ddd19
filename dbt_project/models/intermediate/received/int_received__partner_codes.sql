-- Grain: one row per landed version of a partner's code (source, code, arrival, row_number), of any source.
-- A Stripe promotion code belongs to the partner that it names, else to the one of its coupon; a coupon that
-- names a partner is a code by its id. Codes that name nobody are no partner's. A Stripe code does not end:
-- what was redeemed in time appears on invoices for as long as the discount lasts.
with

promotion_codes as (

    select * from {{ ref('stg_stripe__promotion_codes') }}

),

newest_promotion_codes as (

    {{ newest_versions('promotion_codes', ['promotion_code_id']) }}

),

coupons as (

    select * from {{ ref('stg_stripe__coupons') }}

),

newest_coupons as (

    {{ newest_versions('coupons', ['coupon_id']) }}

),

stripe_codes as (

    select
        codes.source, codes.arrival, codes.row_number, codes.code,
        coalesce(codes.partner_id, coupons.partner_id) as partner_id, codes.created_at
    from newest_promotion_codes as codes
    left join newest_coupons as coupons
        on
            codes.source = coupons.source
            and codes.coupon_id = coupons.coupon_id

    union all

    select source, arrival, row_number, coupon_id, partner_id, created_at
    from newest_coupons

)

select source, arrival, row_number, code, partner_id, code_type, valid_from_at, valid_to_at
from {{ ref('stg_files__partner_codes') }}

union all

select
    source, arrival, row_number, code, partner_id, 'promotion_code' as code_type, created_at as valid_from_at,
    cast(null as timestamp) as valid_to_at
from stripe_codes
where partner_id is not null
