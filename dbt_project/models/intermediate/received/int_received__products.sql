-- Grain: one row per landed version of a product (source, product_id, arrival, row_number), of any source.
-- A Stripe product without a kind of its own is what all its prices are: one_off when none recurs, usage when
-- every recurring one is metered, else recurring.
with

prices as (

    select * from {{ ref('stg_stripe__prices') }}

),

newest_prices as (

    {{ newest_versions('prices', ['price_id']) }}

),

price_kinds as (

    select
        source,
        product_id,
        case
            when not bool_or(price_type = 'recurring') then 'one_off'
            when bool_and(usage_type = 'metered') filter (where price_type = 'recurring') then 'usage'
            else 'recurring'
        end as product_kind
    from newest_prices
    group by source, product_id

)

select source, arrival, row_number, product_id, product_name, product_kind
from {{ ref('stg_files__products') }}

union all

select
    products.source, products.arrival, products.row_number, products.product_id, products.product_name,
    coalesce(products.product_kind, price_kinds.product_kind) as product_kind
from {{ ref('stg_stripe__products') }} as products
left join price_kinds
    on
        products.source = price_kinds.source
        and products.product_id = price_kinds.product_id
