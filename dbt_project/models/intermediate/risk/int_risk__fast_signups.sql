-- Grain: one row per lead and partner whose link was clicked and followed by a signup of the same person in
-- under risk.fast_signup_seconds (lead_id, partner_id). The same person shows the same key of a person (F3).
with

rules as (

    select * from {{ ref('stg_program__risk') }}

),

person_keys as (

    select keys.record_type, keys.record_id, keys.node_key
    from {{ ref('int_identity__keys') }} as keys
    left join {{ ref('int_identity__shared_keys') }} as shared
        on keys.node_key = shared.node_key
    where
        shared.node_key is null
        and split_part(keys.node_key, ':', 1) in ('email', 'contact', 'customer', 'anonymous')

),

clicks as (

    select
        touches.lead_id,
        touches.partner_id,
        touches.occurred_at,
        {{ record_key('touches.source', 'touches.record_type', 'touches.record_id') }} as click_key,
        person_keys.node_key
    from {{ ref('int_leads__touches') }} as touches
    inner join person_keys
        on
            touches.record_type = person_keys.record_type
            and touches.record_id = person_keys.record_id
    where
        touches.record_type = 'touchpoint'
        and touches.touch_type = 'referral_link'
        and touches.partner_id is not null
        and touches.lead_id is not null

),

signups as (

    select
        stage_events.lead_id,
        stage_events.occurred_at,
        {{ record_key('stage_events.source', 'stage_events.source_type', 'stage_events.source_id') }} as signup_key,
        person_keys.node_key
    from {{ ref('int_leads__stage_events') }} as stage_events
    inner join person_keys
        on
            stage_events.source_type = person_keys.record_type
            and stage_events.source_id = person_keys.record_id
    where
        stage_events.stage = 'signup'
        and stage_events.source_type = 'product_event'

),

pairs as (

    select
        clicks.lead_id,
        clicks.partner_id,
        clicks.click_key,
        signups.signup_key,
        signups.occurred_at,
        {{ microseconds_between('clicks.occurred_at', 'signups.occurred_at') }} as microseconds
    from clicks
    inner join signups
        on
            clicks.lead_id = signups.lead_id
            and clicks.node_key = signups.node_key
            and clicks.occurred_at <= signups.occurred_at

),

-- Of several clicks the last one before the signup tells.
fast as (

    select
        pairs.lead_id,
        pairs.partner_id,
        pairs.signup_key,
        pairs.occurred_at,
        min(pairs.microseconds) as microseconds,
        min_by(pairs.click_key, {'microseconds': pairs.microseconds, 'click_key': pairs.click_key}) as click_key
    from pairs
    cross join rules
    where pairs.microseconds < {{ wide('rules.fast_signup_seconds') }} * 1000000
    group by pairs.lead_id, pairs.partner_id, pairs.signup_key, pairs.occurred_at

),

ranked as (

    select
        fast.*,
        count(*) over (partition by lead_id, partner_id) as signups,
        row_number() over (partition by lead_id, partner_id order by occurred_at, signup_key) as signup_number
    from fast

)

select
    'fast_signup' as kind,
    'low' as severity,
    'lead' as subject_type,
    lead_id as subject_id,
    partner_id,
    lead_id,
    partner_id || ':' || signup_key as case_key,
    cast(signups as varchar) || case signups when 1 then ' signup' else ' signups' end
    || ' seconds after a click on the link of ' || partner_id || ': ' || signup_key || ' came '
    || cast({{ whole_part('microseconds', '1000000') }} as varchar) || ' s after ' || click_key as evidence,
    occurred_at as detected_at
from ranked
where signup_number = 1
