-- Grain: one row: the night that is computed (M6).
{{ config(materialized='view') }}

select * from {{ ref('stg_program__run') }}
