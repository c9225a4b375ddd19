-- Grain: one row: which night this snapshot shows. published_at is written when it is published.
with

head as (

    select
        max(segment) as journal_segment,
        max_by(sha256, segment) as journal_head
    from {{ ref('int_journal__segments') }}

)

select
    run.run_id,
    run.as_of,
    cast(null as timestamp) as published_at,
    run.terms_hash,
    head.journal_head,
    head.journal_segment,
    run.programme_id,
    run.programme_name,
    run.timezone,
    run.reporting_currency_code,
    run.next_pay_date
from {{ ref('int_terms__run') }} as run
cross join head
