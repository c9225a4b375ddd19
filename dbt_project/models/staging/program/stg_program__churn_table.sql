-- Grain: one row per band of a plan version that takes back by table (R5).
select * from {{ source('program', 'program__churn_table') }}
