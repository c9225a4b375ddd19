-- A failing row: more was taken back from a line than it earned, or more given back than taken (I9, R6). What
-- rulings add and take is people's decision, and not computed.
{{ config(tags=['facts']) }}

with

signed as (

    select
        component_id,
        source_type,
        source_id,
        partner_id,
        sum(case when kind = 'earning' then amount_minor else 0 end) as earned_amount_minor,
        sum(case when kind <> 'earning' then amount_minor else 0 end) as reversed_amount_minor
    from {{ ref('int_journal__computed') }}
    where kind not in ('bonus', 'adjustment')
    group by component_id, source_type, source_id, partner_id

)

select *
from signed
where
    sign(reversed_amount_minor) = sign(earned_amount_minor)
    and reversed_amount_minor <> 0
    or abs(reversed_amount_minor) > abs(earned_amount_minor)
