-- Grain: one row per signal for which a hold was ever opened (signal_id), the newest of its holds.
{{ config(tags=['payouts']) }}

select
    signal_id,
    max_by(hold_id, {'opened_at': opened_at, 'hold_id': hold_id}) as hold_id,
    case
        when max_by(is_open, {'opened_at': opened_at, 'hold_id': hold_id}) then 'open'
        else 'released'
    end as hold_state
from {{ ref('stg_control__holds') }}
where signal_id is not null
group by signal_id
