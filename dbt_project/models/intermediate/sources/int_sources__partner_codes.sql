-- Grain: one row per (code, code_type, valid_from_at), the newest version (F1). A code may pass from one
-- partner to another with a later valid_from; a row with the same start replaces the older one.
-- Codes match without regard to case.
with

landed as (

    select
        *,
        upper(trim(code)) as code_key,
        coalesce(valid_from_at, timestamp '1900-01-01') as starts_at
    from {{ ref('int_received__partner_codes') }}

),

newest as (

    {{ newest_versions('landed', ['code_key', 'code_type', 'starts_at']) }}

),

ranked as (

    {{ best_ranked('newest', ['code_key', 'code_type', 'starts_at']) }}

)

select
    source,
    arrival,
    row_number,
    code_key,
    code,
    partner_id,
    code_type,
    starts_at,
    coalesce(valid_to_at, timestamp '2200-01-01') as ends_at
from ranked
