-- What moved on each partner's account after its last statement? opening + earned + released - taken_back - paid + other
-- = closing. released: what had been taken back or paid and came back.
-- Grain: one row per partner and payout currency in which something moved.
-- Reads: marts.fct_commission_entries. $openings: JSON list of partner_id and the last segment that it was told,
-- $opening: that of the others.
with

told as (

    select unnest(from_json($openings::json, '[{"partner_id": "varchar", "segment": "bigint"}]'), recursive := true)

),

entries as (

    select
        entries.partner_id,
        entries.payout_currency_code as currency_code,
        entries.payout_amount_minor as amount_minor,
        entries.segment > coalesce(told.segment, $opening) as is_new,
        case
            when entries.entry_kind in ('earning', 'bonus', 'adjustment', 'ruling') then 'earned'
            when entries.entry_kind in ('reinstatement', 'payout_return') then 'released'
            when entries.entry_kind in ('refund', 'chargeback', 'credit_note', 'churn', 'correction') then 'taken_back'
            when entries.entry_kind = 'payout' then 'paid'
            else 'other'
        end as movement
    from marts.fct_commission_entries as entries
    left join told on entries.partner_id = told.partner_id

)

select
    partner_id,
    currency_code,
    coalesce(sum(amount_minor) filter (where not is_new), 0)::bigint as opening_minor,
    coalesce(sum(amount_minor) filter (where is_new and movement = 'earned'), 0)::bigint as earned_minor,
    coalesce(sum(amount_minor) filter (where is_new and movement = 'released'), 0)::bigint as released_minor,
    coalesce(-sum(amount_minor) filter (where is_new and movement = 'taken_back'), 0)::bigint as taken_back_minor,
    coalesce(-sum(amount_minor) filter (where is_new and movement = 'paid'), 0)::bigint as paid_minor,
    coalesce(sum(amount_minor) filter (where is_new and movement = 'other'), 0)::bigint as other_minor,
    sum(amount_minor)::bigint as closing_minor
from entries
group by partner_id, currency_code
having count(*) filter (where is_new) > 0
order by partner_id, currency_code
