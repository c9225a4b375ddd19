-- Grain: one row per pattern that somebody should look at before money leaves (signal_id), with its hold.
select
    signals.signal_id,
    signals.kind,
    signals.severity,
    signals.subject_type,
    signals.subject_id,
    signals.partner_id,
    signals.lead_id,
    signals.evidence,
    signals.detected_at,
    holds.hold_id,
    coalesce(holds.hold_state, 'none') as hold_state,
    signals.what_to_do
from {{ ref('int_risk__signals') }} as signals
left join {{ ref('int_risk__holds') }} as holds
    on signals.signal_id = holds.signal_id
