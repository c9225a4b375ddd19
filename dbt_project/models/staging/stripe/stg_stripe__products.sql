-- Grain: one row per landed version of a Stripe product (source, id, arrival, row_number).
-- product_kind stands in the metadata that sources.yml names; another word there is not read.
with

received as (

    select * from {{ source('stripe', 'stripe__products') }}

),

kind_fields as (

    {{ source_fields('product_kind') }}

),

mapped as (

    select
        received.*,
        lower({{ mapped_text('kind_fields.places', 'received.payload') }}) as product_kind
    from received
    left join kind_fields
        on received._source = kind_fields.source

)

select
    _source as source,
    _arrival as arrival,
    _row as row_number,
    object_id as product_id,
    {{ json_text('payload', 'name') }} as product_name,
    case
        when product_kind in ('recurring', 'one_off', 'usage', 'setup', 'shipping') then product_kind
    end as product_kind
from mapped
