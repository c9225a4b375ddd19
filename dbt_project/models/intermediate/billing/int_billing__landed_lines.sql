-- Grain: one row per (source, invoice_line_id), the newest version (F1).
with

landed as (

    select * from {{ ref('int_received__invoice_lines') }}

)

{{ newest_versions('landed', ['invoice_line_id']) }}
