-- Grain: one row per key that any record carries (node_key), numbered for the component search.
select
    node_key,
    row_number() over (order by node_key) - 1 as node_number,
    min(seen_at) as first_seen_at
from {{ ref('int_identity__keys') }}
group by node_key
