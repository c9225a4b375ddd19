-- Grain: one row per (commission_id, effective_date): the steps in which a desired amount came about.
-- An earning paid in parts has one per day of payment, what a ruling leaves standing has those that were
-- posted, everything else one.
with

kept as (

    select * from {{ ref('int_journal__kept_parts') }}

),

-- Steps of earnings and of referrers' shares in them.
parts as (

    select
        component_id, source_type, source_id, partner_id, effective_date, available_date, amount_minor,
        payout_amount_minor
    from {{ ref('int_commission__earning_parts') }}

    union all

    select
        component_id, source_type, source_id, partner_id, effective_date, available_date, amount_minor,
        payout_amount_minor
    from {{ ref('int_commission__referral_parts') }}

),

desired as (

    select desired.*
    from {{ ref('int_journal__desired') }} as desired
    left join (select distinct commission_id from kept) as kept_keys
        on desired.commission_id = kept_keys.commission_id
    where kept_keys.commission_id is null

)

select
    desired.commission_id,
    parts.effective_date,
    max(parts.available_date) as available_date,
    cast(sum(parts.amount_minor) as bigint) as amount_minor,
    cast(sum(parts.payout_amount_minor) as bigint) as payout_amount_minor
from desired
inner join parts
    on
        desired.component_id = parts.component_id
        and desired.source_type = parts.source_type
        and desired.source_id = parts.source_id
        and desired.partner_id = parts.partner_id
where desired.kind = 'earning'
group by desired.commission_id, parts.effective_date

union all

select
    commission_id,
    effective_date,
    available_date,
    amount_minor,
    payout_amount_minor
from desired
where kind <> 'earning'

union all

select
    commission_id,
    effective_date,
    available_date,
    amount_minor,
    payout_amount_minor
from kept

union all

select
    commission_id,
    effective_date,
    max(available_date) as available_date,
    cast(sum(amount_minor) as bigint) as amount_minor,
    cast(sum(payout_amount_minor) as bigint) as payout_amount_minor
from {{ ref('int_journal__later_parts') }}
group by commission_id, effective_date
