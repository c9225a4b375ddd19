-- Grain: one row per landed version of a rate (source, rate_date, currency_code, arrival, row_number), of any source.
select source, arrival, row_number, rate_date, currency_code, rate
from {{ ref('stg_files__fx_rates') }}

union all

select source, arrival, row_number, rate_date, currency_code, rate
from {{ ref('stg_ecb__rates') }}
