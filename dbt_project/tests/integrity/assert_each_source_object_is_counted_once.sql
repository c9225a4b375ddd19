-- A failing row: a fan-out in the identity or billing joins would count the same money twice (F1, F2).
{{ config(tags=['facts']) }}

select 'invoice' as object, invoice_id as object_id, count(*) as rows_found
from {{ ref('int_billing__invoices') }}
group by invoice_id
having count(*) > 1

union all

select 'invoice_line', invoice_line_id, count(*)
from {{ ref('int_billing__paid_lines') }}
group by invoice_line_id
having count(*) > 1

union all

select 'lead_record', record_type || ':' || record_id, count(*)
from {{ ref('int_identity__lead_records') }}
group by record_type, record_id
having count(*) > 1

union all

select 'touch', touch_id, count(*)
from {{ ref('int_leads__touches') }}
group by touch_id
having count(*) > 1

union all

select 'natural_key', commission_id, count(*)
from {{ ref('int_journal__desired') }}
group by commission_id
having count(*) > 1

union all

select 'credited_lead', lead_id || ':' || partner_id, count(*)
from {{ ref('int_attribution__credits') }}
group by lead_id, partner_id
having count(*) > 1
