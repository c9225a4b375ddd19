-- Grain: one row per exception of a batch (batch_id, number).
{{ config(materialized='view') }}

select * from {{ ref('stg_control__batch_exceptions') }}
