-- Grain: one row per new entry that reverses nothing (entry_id): a difference on an earning, a bonus or an
-- adjustment, numbered after what the
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
    where kind in ({{ earning_kinds() }})

)

select
    numbered.*,
    {{ uuid5(natural_key('numbered.') ~ ' || chr(31) || cast(numbered.ordinal as varchar)') }} as entry_id
from numbered
