-- Grain: one row per (level, step): 2 to the minus step ÷ 4096^level in parts of 10^18 (A3, time decay).
select * from {{ source('program', 'program__decay_weights') }}
