-- Grain: one row per journal entry held by a live or exported batch (entry_id). A view: it shows what
-- this night proposed too.
{{ config(materialized='view') }}

select
    claims.entry_id,
    claims.batch_id,
    claims.payout_id,
    claims.batch_state,
    batches.pay_date,
    claims.batch_state in ('exported', 'sent', 'closed') as is_exported
from {{ ref('stg_control__claims') }} as claims
inner join {{ ref('stg_control__batches') }} as batches
    on claims.batch_id = batches.batch_id
where
    -- A rejected or stale batch has let its entries go; an exported one never does.
    claims.is_live
    or claims.batch_state in ('exported', 'sent', 'closed')
