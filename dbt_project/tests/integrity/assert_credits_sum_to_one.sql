-- A failing row: a lead's commissions would be paid more or less than once (A3).
{{ config(tags=['ledger']) }}

select lead_id, model, sum(credit_ppm) as credit_ppm
from {{ ref('fct_attributions') }}
group by lead_id, model
having sum(credit_ppm) <> 1000000
