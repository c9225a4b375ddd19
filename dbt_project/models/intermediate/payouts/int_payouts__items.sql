-- Grain: one row per partner in a batch, or left out of it (payout_id).
{{ config(materialized='view') }}

select * from {{ ref('stg_control__payout_items') }}
