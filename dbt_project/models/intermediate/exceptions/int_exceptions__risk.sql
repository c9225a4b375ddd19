-- Grain: one row per fraud signal (kind, subject, what_to_do), for the list of what needs a person. The counts
-- stay in the signal: an exception keeps its id while they grow.
{{ config(tags=['payouts']) }}

select
    kind,
    case severity when 'low' then 'info' else 'warning' end as severity,
    subject_type || ':' || subject_id as subject,
    cast(null as bigint) as amount_minor,
    cast(null as varchar) as currency_code,
    cast(null as varchar) as owner,
    detected_at as opened_at,
    what_to_do || '; its evidence is ' || signal_id || ' in fct_risk_signals' as what_to_do
from {{ ref('int_risk__signals') }}
