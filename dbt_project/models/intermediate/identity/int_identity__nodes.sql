-- Grain: one row per key that any record carries (node_key), numbered for the component search, with its
-- age: the landing that brought it first, then the earliest instant that it told. Keys that cannot have begun a
-- lead come last.
with

keys as (

    select
        node_key,
        min(seen_at) as first_seen_at,
        min(key_rank) as key_rank
    from {{ ref('int_identity__keys') }}
    group by node_key

)

select
    keys.node_key,
    row_number() over (order by keys.node_key) - 1 as node_number,
    keys.first_seen_at,
    {
        'is_no_beginning': arrivals.node_key is null,
        'first_arrival': coalesce(arrivals.first_arrival, 2000000000000),
        'told_at': coalesce(arrivals.first_told_at, timestamp '2200-01-01'),
        'key_rank': keys.key_rank,
        'node_key': keys.node_key
    } as age
from keys
left join {{ ref('int_identity__key_arrivals') }} as arrivals
    on keys.node_key = arrivals.node_key
