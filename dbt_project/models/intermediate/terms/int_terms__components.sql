-- Grain: one row per component of a plan version, with the version's hold and take-back policy (T1).
select
    components.*,
    versions.valid_from_date,
    versions.valid_to_date,
    versions.terms_follow,
    versions.hold_days,
    versions.hold_after,
    versions.refund_mode,
    versions.chargeback_on_open,
    versions.chargeback_on_lost,
    versions.chargeback_on_won,
    versions.churn_mode,
    versions.churn_window_days,
    versions.max_age_days
from {{ ref('stg_program__components') }} as components
inner join {{ ref('stg_program__plan_versions') }} as versions
    on
        components.plan_id = versions.plan_id
        and components.plan_version = versions.plan_version
