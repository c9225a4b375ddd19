-- Grain: one row per (lead_id, partner_id) that has earned: the plan of its first earning entry.
-- Rule T2: pinned terms are grandfathered. The directory says only today's group of a partner, so the
-- journal is what remembers the plan a lead began under (decision 0018).
with

earnings as (

    select
        coalesce(by_record.lead_id, by_customer.lead_id, entries.lead_id) as lead_id,
        entries.partner_id,
        entries.plan_id,
        entries.segment,
        entries.effective_date,
        entries.entry_id
    from {{ ref('stg_control__journal_entries') }} as entries
    left join {{ ref('int_identity__lead_records') }} as by_record
        on
            entries.source_type = by_record.record_type
            and entries.source_id = by_record.record_id
    left join {{ ref('int_identity__lead_records') }} as by_customer
        on
            by_customer.record_type = 'customer'
            and entries.customer_id = by_customer.record_id
    left join {{ ref('stg_program__overrides') }} as overrides
        on {{ paid_by_override('entries', 'overrides') }}
    where
        entries.entry_kind = 'earning'
        and entries.amount_minor > 0
        -- A referrer's share belongs to no lead.
        and coalesce(entries.source_type, '') <> 'commission'
        -- What an override paid within its dates goes by them.
        and overrides.partner_id is null

)

select
    lead_id,
    partner_id,
    min_by(
        plan_id, {'segment': segment, 'effective_date': effective_date, 'entry_id': entry_id}
    ) as plan_id
from earnings
group by lead_id, partner_id
