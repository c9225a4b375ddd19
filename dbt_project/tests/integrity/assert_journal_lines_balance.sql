-- A failing row: a transaction that does not sum to zero cannot go to the general ledger (I1, J5).
{{ config(tags=['ledger']) }}

select transaction_id, currency_code
from {{ ref('fct_journal_lines') }}
group by transaction_id, currency_code
having sum(signed_amount_minor) <> 0
