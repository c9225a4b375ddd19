-- Grain: one row per commission (commission_id) that an open dispute makes not payable (R2, P1), with it the
-- referrer's share of one (decision 0041).
with

desired as (

    select * from {{ ref('int_journal__desired') }}

),

disputed as (

    select
        desired.commission_id,
        min(disputes.dispute_id) as dispute_id
    from desired
    inner join {{ ref('stg_program__plan_versions') }} as policies
        on
            desired.plan_id = policies.plan_id
            and desired.plan_version = policies.plan_version
            and policies.chargeback_on_open = 'hold'
    inner join {{ ref('int_adjustment__disputes') }} as disputes
        on
            desired.invoice_id = disputes.invoice_id
            and disputes.dispute_status = 'open'
    group by desired.commission_id

)

select commission_id, dispute_id
from disputed

union all

select
    desired.commission_id,
    disputed.dispute_id
from desired
inner join disputed
    on
        desired.source_type = 'commission'
        and desired.source_id = disputed.commission_id
