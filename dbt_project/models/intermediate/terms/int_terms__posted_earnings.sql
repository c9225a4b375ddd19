-- Grain: one row per (source_type, source_id, partner_id) that has earned: the plan, the payout currency and the
-- customer's country of its first entry. The directory says only today's group and currency of a partner, and billing
-- only today's country, so what was posted keeps the plan (T2), the currency (J6) and the country (C7) it was posted
-- under (decision 0018).
{% set entry_age = "{'segment': entries.segment, 'ordinal': entries.ordinal, 'entry_id': entries.entry_id}" %}

with

conditions as (

    select country from {{ ref('stg_program__component_conditions') }}

)

select
    entries.source_type,
    entries.source_id,
    entries.partner_id,
    -- What an override paid within its dates goes by them: only the plan of a group is remembered.
    min_by(entries.plan_id, {{ entry_age }}) filter (where overrides.partner_id is null) as plan_id,
    min_by(entries.payout_currency_code, {{ entry_age }}) as payout_currency_code,
    -- Reading the explanations costs: only where a country matters.
    min_by(
        case when exists (select 1 from conditions) then {{ json_text('entries.explanation', 'country') }} end,
        {{ entry_age }}
    ) as customer_country
from {{ ref('stg_control__journal_entries') }} as entries
left join {{ ref('stg_program__overrides') }} as overrides
    on {{ paid_by_override('entries', 'overrides') }}
where
    entries.entry_kind = 'earning'
    and entries.amount_minor <> 0
group by entries.source_type, entries.source_id, entries.partner_id
