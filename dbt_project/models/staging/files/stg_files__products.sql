-- Grain: one row per landed version of a product (source, id, arrival, row_number).
-- Renames and casts only (M5 for instants); the newest version is chosen downstream (F1).
with

received as (

    select * from {{ source('files', 'files__products') }}

)

select
    _source as source,
    _arrival as arrival,
    _row as row_number,
    product_id,
    name as product_name,
    kind as product_kind
from received
