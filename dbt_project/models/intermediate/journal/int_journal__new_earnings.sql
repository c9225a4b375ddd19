-- Grain: one row per new earning entry (entry_id): a difference on an earning, numbered after what the
-- journal already holds for its key (J2).
with

numbered as (

    select
        differences.*,
        last_ordinal + row_number() over (
            partition by commission_id
            order by effective_date, currency_code, payout_currency_code
        ) as ordinal
    from {{ ref('int_journal__open_differences') }} as differences
    where kind = 'earning'

)

select
    numbered.*,
    {{ uuid5(natural_key('numbered.') ~ ' || chr(31) || cast(numbered.ordinal as varchar)') }} as entry_id
from numbered
