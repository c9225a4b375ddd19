-- Grain: one row per registered journal segment (segment). A view, like the entries.
{{ config(materialized='view') }}

select * from {{ ref('stg_control__journal_segments') }}
