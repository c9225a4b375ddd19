-- Which decisions on registrations did the night know? Grain: one row per decision (decision_key).
-- Reads: marts.fct_lead_decisions.
select decision_key from marts.fct_lead_decisions where kind = 'registration'
