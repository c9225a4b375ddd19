-- Grain: one row per version of the attribution rules (attribution_version).
{{ config(materialized='view') }}

select * from {{ ref('stg_program__attribution_versions') }}
