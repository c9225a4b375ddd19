-- Grain: one row per payout batch (batch_id).
{{ config(materialized='view') }}

select * from {{ ref('stg_control__batches') }}
