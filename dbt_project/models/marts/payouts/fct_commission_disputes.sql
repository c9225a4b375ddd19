-- Grain: one row per dispute that a partner or staff opened (dispute_id); its text stays in the control database.
select
    dispute_id,
    subject_type,
    subject_id,
    partner_id,
    state,
    opened_by_role,
    opened_at,
    due_at,
    decided_at,
    outcome,
    adjustment_id,
    is_overdue
from {{ ref('int_payouts__disputes') }}
