-- Grain: one row per landed version of a reference rate (source, id, arrival, row_number).
-- Renames and casts only: units per 1 EUR.
with

received as (

    select * from {{ source('ecb', 'ecb__rates') }}

)

select
    _source as source,
    _arrival as arrival,
    _row as row_number,
    cast({{ json_text('payload', 'rate_date') }} as date) as rate_date,
    {{ json_text('payload', 'currency_code') }} as currency_code,
    cast({{ json_text('payload', 'rate') }} as decimal(24, 10)) as rate
from received
