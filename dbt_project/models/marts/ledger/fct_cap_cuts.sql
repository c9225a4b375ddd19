-- Grain: one row per whole line that a cap cut (invoice_line_id, partner_id, component_id): how much, and which cap
-- cut most (C6). What was cut is not lost: a line that is lowered later gives its room to others.
with

cuts as (

    select * from {{ ref('int_commission__capped_lines') }}
    where cut_by is not null

)

select
    invoice_line_id,
    partner_id,
    component_id,
    plan_id,
    plan_version,
    customer_id,
    currency_code,
    cut_by as cap,
    case when cut_by = 'per_programme_month' then part_cut_minor else line_cut_minor end as cut_amount_minor,
    case when cut_by = 'per_programme_month' then part_amount_minor else whole_line_amount_minor end
        as whole_amount_minor,
    earned_at
from cuts
