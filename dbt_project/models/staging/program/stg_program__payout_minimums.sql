-- Grain: one row per currency with the least amount paid out (P2).
select * from {{ source('program', 'program__payout_minimums') }}
