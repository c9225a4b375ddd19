-- Grain: one row per commission (commission_id) that an open dispute makes not payable (R2, P1).
select
    desired.commission_id,
    min(disputes.dispute_id) as dispute_id
from {{ ref('int_journal__desired') }} as desired
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
