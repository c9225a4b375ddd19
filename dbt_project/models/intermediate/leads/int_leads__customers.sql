-- Grain: one row per lead with customers (lead_id): its first customer, which event entries name.
select
    lead_id,
    min_by(record_id, {'seen_at': coalesce(seen_at, timestamp '2200-01-01'), 'record_id': record_id}) as customer_id,
    count(*) as customers
from {{ ref('int_identity__lead_records') }}
where record_type = 'customer'
group by lead_id
