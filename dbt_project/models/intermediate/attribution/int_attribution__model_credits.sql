-- Grain: one row per (lead_id, model, partner_id): the credit in parts per million that each model in
-- force gives, by computation alone (A3, A7). Credits of a lead and model sum to exactly 1,000,000.
{% set ways = ['linear', 'position', 'decay'] %}

with

models as (

    select * from {{ ref('stg_program__attribution_models') }}

),

-- The versions that compute a model which splits a lead's credit over its touches.
splitting_versions as (

    select
        attribution_version,
        {{ ppm('position_first_rate') }} as first_ppm,
        {{ ppm('position_last_rate') }} as last_ppm
    from {{ ref('int_attribution__versions') }}
    where
        attribution_version in (
            select attribution_version from models
            where model not in ('last_touch', 'first_touch')
        )

),

partners as (

    select
        weights.*,
        count(*) over whole_lead as partners,
        cast(sum(touches) over whole_lead as bigint) as lead_touches,
        sum(decay_weight) over whole_lead as lead_decay_weight
    from {{ ref('int_attribution__partner_weights') }} as weights
    window whole_lead as (partition by lead_id)

),

-- One partner alone takes all under every model; so do the last and the first touch.
whole_credits as (

    select
        partners.lead_id,
        models.model,
        models.is_paying,
        partners.partner_id,
        case when models.model = 'first_touch' then partners.oldest_touch_id else partners.newest_touch_id end as touch_id,
        1000000 as credit_ppm
    from partners
    inner join models
        on partners.attribution_version = models.attribution_version
    where
        partners.partners = 1
        or (models.model = 'last_touch' and partners.has_last)
        or (models.model = 'first_touch' and partners.has_first)

),

shared as (

    select
        partners.*,
        versions.first_ppm,
        versions.last_ppm,
        case when partners.has_first then 1 else 0 end as first_touches,
        case when partners.has_last then 1 else 0 end as last_touches
    from partners
    inner join splitting_versions as versions
        on partners.attribution_version = versions.attribution_version
    where partners.partners > 1

),

-- A3: linear weighs touches alike; position_based gives the first, the last, and the rest to those between
-- (two touches: half each), as whole numbers over a common denominator.
weighed as (

    select
        lead_id,
        attribution_version,
        partner_id,
        newest_touch_id as touch_id,
        touches as linear_weight,
        lead_touches as linear_total,
        case
            when lead_touches = 2 then touches
            else
                (lead_touches - 2) * (first_touches * first_ppm + last_touches * last_ppm)
                + (touches - first_touches - last_touches) * (1000000 - first_ppm - last_ppm)
        end as position_weight,
        case when lead_touches = 2 then 2 else (lead_touches - 2) * 1000000 end as position_total,
        decay_weight,
        lead_decay_weight as decay_total
    from shared

),

-- M3: parts per million by largest remainder, ties by partner.
floored as (

    select
        weighed.*
        {%- for way in ways %},
        cast({{ whole_part(way ~ '_weight * 1000000', way ~ '_total') }} as bigint) as {{ way }}_floor_ppm
        {%- endfor %}
    from weighed

),

remaining as (

    select
        floored.*
        {%- for way in ways %},
        {{ way }}_weight * 1000000 - {{ way }}_floor_ppm * {{ way }}_total as {{ way }}_remainder
        {%- endfor %}
    from floored

),

ranked as (

    select
        remaining.*
        {%- for way in ways %},
        1000000 - sum({{ way }}_floor_ppm) over (partition by lead_id) as {{ way }}_left_ppm,
        row_number() over (
            partition by lead_id
            order by {{ way }}_remainder desc, partner_id
        ) as {{ way }}_rank
        {%- endfor %}
    from remaining

),

split_credits as (

    select
        ranked.lead_id,
        models.model,
        models.is_paying,
        ranked.partner_id,
        ranked.touch_id,
        cast(
            case models.model
                when 'linear'
                    then linear_floor_ppm + case when linear_rank <= linear_left_ppm then 1 else 0 end
                when 'position_based'
                    then position_floor_ppm + case when position_rank <= position_left_ppm then 1 else 0 end
                when 'time_decay'
                    then decay_floor_ppm + case when decay_rank <= decay_left_ppm then 1 else 0 end
            end as integer
        ) as credit_ppm
    from ranked
    inner join models
        on
            ranked.attribution_version = models.attribution_version
            and models.model not in ('last_touch', 'first_touch')

)

select * from whole_credits
union all
select * from split_credits
where credit_ppm > 0
