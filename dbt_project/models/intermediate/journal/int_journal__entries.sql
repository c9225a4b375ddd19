-- Grain: one row per registered journal entry (entry_id). A view: it shows what this night posted too.
{{ config(materialized='view') }}

select * from {{ ref('stg_control__journal_entries') }}
