-- Grain: one row per lead that has earned (lead_id): the partner its first earning went to (A6).
-- Under after_earning = pin that partner keeps the lead, whatever a recomputation says now. The lead is
-- found through what was earned on, since its id can change when an older record arrives.
with

earned as (

    select
        entries.partner_id,
        coalesce(by_record.lead_id, by_customer.lead_id, entries.lead_id) as lead_id,
        entries.effective_date,
        entries.segment,
        sum(entries.payout_amount_minor) over (
            partition by coalesce(by_record.lead_id, by_customer.lead_id, entries.lead_id), entries.partner_id,
                entries.payout_currency_code
        ) as net_payout_amount_minor
    from {{ ref('stg_control__journal_entries') }} as entries
    left join {{ ref('int_identity__lead_records') }} as by_record
        on
            entries.source_type = by_record.record_type
            and entries.source_id = by_record.record_id
    left join {{ ref('int_identity__lead_records') }} as by_customer
        on
            by_customer.record_type = 'customer'
            and entries.customer_id = by_customer.record_id
    where entries.entry_kind = 'earning'

)

select
    lead_id,
    min_by(partner_id, {'segment': segment, 'effective_date': effective_date, 'partner_id': partner_id}) as partner_id
from earned
where net_payout_amount_minor <> 0
group by lead_id
