-- Grain: one row per dispute that a partner or staff opened (dispute_id), as it stands on as_of.
{{ config(materialized='view') }}

select
    disputes.*,
    disputes.decided_at is null as is_open,
    disputes.decided_at is null and disputes.due_at < run.as_of_end_at as is_overdue
from {{ ref('stg_control__disputes') }} as disputes
cross join {{ ref('stg_program__run') }} as run
