-- Grain: one row per (source_type, source_id, partner_id) that has earned: the plan and the payout
-- currency of its first entry. The directory says only today's group and currency of a partner, so what
-- was posted keeps the plan (T2) and the currency (J6) it was posted under (decision 0018).
select
    source_type,
    source_id,
    partner_id,
    min_by(plan_id, {'segment': segment, 'ordinal': ordinal, 'entry_id': entry_id}) as plan_id,
    min_by(
        payout_currency_code, {'segment': segment, 'ordinal': ordinal, 'entry_id': entry_id}
    ) as payout_currency_code
from {{ ref('stg_control__journal_entries') }}
where
    entry_kind = 'earning'
    and amount_minor <> 0
group by source_type, source_id, partner_id
