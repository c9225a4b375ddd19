-- Grain: one row per posted earning that an approved ruling moves (component_id, source_type, source_id,
-- partner_id): what the ruling adds or takes, so that the sum is what the computation wants under the ruling's
-- credits (A6, J1). Effective on the day of the approval, at the latest on as_of; available no earlier than
-- what it takes back (R10).
with

posted as (

    select
        commission_id,
        max(available_date) as available_date,
        cast(sum(amount_minor) as bigint) as amount_minor,
        cast(sum(payout_amount_minor) as bigint) as payout_amount_minor
    from {{ ref('int_journal__kept_parts') }}
    group by commission_id

),

kept as (

    select
        kept_keys.*,
        posted.available_date,
        posted.amount_minor,
        posted.payout_amount_minor
    from {{ ref('int_journal__kept_keys') }} as kept_keys
    inner join posted
        on kept_keys.commission_id = posted.commission_id

),

later as (

    select
        commission_id,
        cast(sum(amount_minor) as bigint) as amount_minor,
        cast(sum(payout_amount_minor) as bigint) as payout_amount_minor
    from {{ ref('int_journal__later_parts') }}
    group by commission_id

),

-- What the computation wants of that which was posted; later payments are earned by themselves.
computed as (

    select
        computed.commission_id,
        computed.amount_minor - coalesce(later.amount_minor, 0) as amount_minor,
        computed.payout_amount_minor - coalesce(later.payout_amount_minor, 0) as payout_amount_minor
    from {{ ref('int_journal__computed') }} as computed
    left join later
        on computed.commission_id = later.commission_id

),

moved as (

    select
        kept.*,
        coalesce(computed.amount_minor, 0) - kept.amount_minor as moved_amount_minor,
        coalesce(computed.payout_amount_minor, 0) - kept.payout_amount_minor as moved_payout_amount_minor
    from kept
    left join computed
        on kept.commission_id = computed.commission_id

)

select
    moved.component_id,
    moved.source_type,
    moved.source_id,
    moved.partner_id,
    moved.ruling_id,
    max(moved.lead_id) as lead_id,
    max(moved.customer_id) as customer_id,
    max(moved.plan_id) as plan_id,
    max(moved.plan_version) as plan_version,
    max(moved.currency_code) as currency_code,
    max(moved.payout_currency_code) as payout_currency_code,
    least(max(moved.ruled_date), max(run.as_of)) as effective_date,
    greatest(
        least(max(moved.ruled_date), max(run.as_of)),
        max(moved.available_date) filter (where moved.kind = 'earning')
    ) as available_date,
    cast(sum(moved.moved_amount_minor) as bigint) as amount_minor,
    cast(sum(moved.moved_payout_amount_minor) as bigint) as payout_amount_minor
from moved
cross join {{ ref('stg_program__run') }} as run
group by moved.component_id, moved.source_type, moved.source_id, moved.partner_id, moved.ruling_id
having
    sum(moved.moved_amount_minor) <> 0
    or sum(moved.moved_payout_amount_minor) <> 0
