-- Grain: one row per posted journal entry (entry_id) with the lead it belongs to now: that of what it was earned
-- on, else of its customer, else of the id it was posted under, which may be an old one.
{{ config(materialized='view') }}

select
    entries.entry_id,
    coalesce(by_record.lead_id, by_customer.lead_id, aliases.lead_id, entries.lead_id) as lead_id
from {{ ref('stg_control__journal_entries') }} as entries
left join {{ ref('int_identity__lead_records') }} as by_record
    on
        entries.source_type = by_record.record_type
        and entries.source_id = by_record.record_id
left join {{ ref('int_identity__lead_records') }} as by_customer
    on
        by_customer.record_type = 'customer'
        and entries.customer_id = by_customer.record_id
left join {{ ref('int_identity__lead_aliases') }} as aliases
    on entries.lead_id = aliases.alias_lead_id
