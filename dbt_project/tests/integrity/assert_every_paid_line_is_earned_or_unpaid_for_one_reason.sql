-- A failing row: money that is neither earned nor explained, or both (B6). What a ruling left standing and took
-- back again is not earned any more.
{{ config(tags=['facts']) }}

with

earned as (

    select distinct source_id as invoice_line_id
    from {{ ref('int_journal__computed') }}
    where
        kind = 'earning'
        and source_type = 'invoice_line'

)

select lines.invoice_line_id
from {{ ref('int_billing__paid_lines') }} as lines
left join earned
    on lines.invoice_line_id = earned.invoice_line_id
left join {{ ref('int_commission__unpaid_lines') }} as unpaid
    on lines.invoice_line_id = unpaid.invoice_line_id
where (earned.invoice_line_id is null) = (unpaid.invoice_line_id is null)
