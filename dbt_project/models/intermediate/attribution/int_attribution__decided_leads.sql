-- Grain: one row per valid lead that may earn (lead_id): who is credited and by what: an approved ruling, else
-- a pin, else today's computation (A1–A3, A6). credits is the list of partners with their parts per million, by
-- partner; empty where nobody is credited.
with

valid_events as (

    select
        valid_events.*,
        versions.attribution_version,
        {{ add_days_24h('valid_events.valid_at', 'versions.conversion_window_days') }} as conversion_ends_at
    from {{ ref('int_leads__valid_events') }} as valid_events
    inner join {{ ref('int_attribution__versions') }} as versions
        on
            valid_events.valid_date >= versions.valid_from_date
            and valid_events.valid_date < versions.valid_to_date
    left join {{ ref('int_leads__rejected_leads') }} as rejected
        on valid_events.lead_id = rejected.lead_id
    where rejected.lead_id is null

),

computed as (

    select
        lead_id,
        {{ credit_list('partner_id', 'credit_ppm') }} as credits
    from {{ ref('int_attribution__model_credits') }}
    where is_paying
    group by lead_id

),

rulings as (

    select * from {{ ref('int_attribution__rulings') }}

),

pins as (

    select scope_id as lead_id, credits
    from {{ ref('int_attribution__pins') }}
    where scope_type = 'lead'

),

first_payments as (

    select lead_id, occurred_at as first_payment_at
    from {{ ref('int_leads__first_events') }}
    where stage = 'first_payment'

)

select
    valid_events.lead_id,
    valid_events.valid_at,
    valid_events.valid_date,
    valid_events.lead_version,
    valid_events.attribution_version,
    valid_events.conversion_ends_at,
    first_payments.first_payment_at,
    -- A5: a first payment later than the window earns nothing on recurring lines and first_payment.
    coalesce(first_payments.first_payment_at > valid_events.conversion_ends_at, false) as is_conversion_late,
    rulings.ruling_id,
    coalesce(computed.credits, {{ no_credits() }}) as computed_credits,
    coalesce(pins.credits, computed.credits, {{ no_credits() }}) as unruled_credits,
    coalesce(rulings.credits, pins.credits, computed.credits, {{ no_credits() }}) as credits,
    case
        when rulings.ruling_id is not null then 'ruling:' || rulings.ruling_id
        -- A pin that agrees with the computation decides nothing: a repeated night says the same.
        when pins.credits <> coalesce(computed.credits, {{ no_credits() }}) then 'pinned'
        else 'computed'
    end as decided_by
from valid_events
left join computed
    on valid_events.lead_id = computed.lead_id
left join rulings
    on valid_events.lead_id = rulings.lead_id
left join pins
    on valid_events.lead_id = pins.lead_id
left join first_payments
    on valid_events.lead_id = first_payments.lead_id
