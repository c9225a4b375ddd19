-- Grain: one row per (lead_id, partner_id) that is credited by the paying model or by a pin (A1–A3, A6).
-- computed_partner_id differs from partner_id where a pin overrules today's computation.
with

computed as (

    select * from {{ ref('int_attribution__model_credits') }}
    where is_paying

),

valid_events as (

    select
        valid_events.*,
        versions.attribution_version,
        versions.after_earning,
        {{ add_days_24h('valid_events.valid_at', 'versions.conversion_window_days') }} as conversion_ends_at
    from {{ ref('int_leads__valid_events') }} as valid_events
    inner join {{ ref('stg_program__attribution_versions') }} as versions
        on
            valid_events.valid_date >= versions.valid_from_date
            and valid_events.valid_date < versions.valid_to_date

),

pinned as (

    select pinned.*
    from {{ ref('int_attribution__pinned') }} as pinned
    inner join valid_events
        on
            pinned.lead_id = valid_events.lead_id
            and valid_events.after_earning = 'pin'

),

first_payments as (

    select lead_id, occurred_at as first_payment_at
    from {{ ref('int_leads__first_events') }}
    where stage = 'first_payment'

),

decided as (

    select
        valid_events.lead_id,
        coalesce(pinned.partner_id, computed.partner_id) as partner_id,
        computed.partner_id as computed_partner_id,
        case
            when pinned.partner_id is null or pinned.partner_id = computed.partner_id then computed.touch_id
        end as touch_id,
        1000000 as credit_ppm,
        valid_events.valid_at,
        valid_events.valid_date,
        valid_events.lead_version,
        valid_events.attribution_version,
        valid_events.conversion_ends_at,
        coalesce(pinned.partner_id <> computed.partner_id or computed.partner_id is null, false) as is_pinned_against_computation
    from valid_events
    left join computed
        on valid_events.lead_id = computed.lead_id
    left join pinned
        on valid_events.lead_id = pinned.lead_id
    left join {{ ref('int_leads__rejected_leads') }} as rejected
        on valid_events.lead_id = rejected.lead_id
    where
        rejected.lead_id is null
        and coalesce(pinned.partner_id, computed.partner_id) is not null

)

select
    decided.*,
    first_payments.first_payment_at,
    -- A5: a first payment later than the window earns nothing on recurring lines and first_payment.
    coalesce(first_payments.first_payment_at > decided.conversion_ends_at, false) as is_conversion_late
from decided
left join first_payments
    on decided.lead_id = first_payments.lead_id
