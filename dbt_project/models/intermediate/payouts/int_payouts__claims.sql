-- Grain: one row per journal entry and live or exported batch that claims it (entry_id, batch_id). A batch may claim
-- a part of a negative entry (P3). A view: it shows what this night proposed too.
{{ config(materialized='view') }}

select
    claims.entry_id,
    claims.batch_id,
    claims.payout_id,
    claims.claimed_amount_minor,
    claims.batch_state,
    batches.pay_date,
    claims.batch_state in ({{ exported_states() }}) as is_exported
from {{ ref('stg_control__claims') }} as claims
inner join {{ ref('stg_control__batches') }} as batches
    on claims.batch_id = batches.batch_id
where
    -- A rejected or stale batch has let its entries go; an exported one never does: what comes back is an entry.
    claims.is_live
    or claims.batch_state in ({{ exported_states() }})
