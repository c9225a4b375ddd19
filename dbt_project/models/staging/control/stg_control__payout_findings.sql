-- Grain: one row per finding about settlement or payout details that is open (kind, subject).
select * from {{ source('control', 'control__payout_findings') }}
