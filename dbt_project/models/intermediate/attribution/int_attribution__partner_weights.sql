-- Grain: one row per (lead_id, partner_id) with a competing touch: how much its touches weigh under each way
-- of weighing (A3), in whole numbers. decay_weight: 2 to the minus age ÷ half-life in parts of 10^18, the age
-- counted from the lead's newest touch, which changes no share; empty where no model decays.
{{ config(materialized='view') }}

with

-- A step is the half-life ÷ 4096: whole microseconds, since a day's are divisible by 4096.
versions as (

    select
        versions.attribution_version,
        cast(versions.half_life_days as bigint) * 21093750 as step_microseconds
    from {{ ref('int_attribution__versions') }} as versions
    inner join {{ ref('stg_program__attribution_models') }} as models
        on
            versions.attribution_version = models.attribution_version
            and models.model = 'time_decay'

),

weights as (

    select * from {{ ref('stg_program__decay_weights') }}

),

aged as (

    select
        sequences.lead_id,
        sequences.touch_id,
        sequences.partner_id,
        sequences.occurred_at,
        sequences.attribution_version,
        sequences.is_of_first_partner,
        sequences.is_last,
        versions.step_microseconds,
        {{ microseconds_between('sequences.occurred_at', 'sequences.newest_at') }} as age_microseconds
    from {{ ref('int_attribution__sequences') }} as sequences
    left join versions
        on sequences.attribution_version = versions.attribution_version
    where not sequences.is_collapsed

),

-- The age in steps, and what is left of it in steps of a 4096th, then in 4096ths of those: by long division, so
-- that no intermediate exceeds a BIGINT.
stepped as (

    select
        aged.*,
        {{ whole_part('age_microseconds', 'step_microseconds') }} as steps,
        age_microseconds % step_microseconds * 4096 as rest
    from aged

),

-- The age as whole half-lives and 36 binary digits of the rest, in three groups of twelve.
digits as (

    select
        stepped.*,
        {{ whole_part('steps', '4096') }} as half_lives,
        steps % 4096 as first_step,
        {{ whole_part('rest', 'step_microseconds') }} as next_step,
        {{ whole_part('rest % step_microseconds * 4096', 'step_microseconds') }} as last_step
    from stepped

),

looked_up as (

    select
        digits.*,
        {{ product_of_parts('first_twelve.weight', 'next_twelve.weight') }} as weight,
        last_twelve.weight as last_weight
    from digits
    left join weights as first_twelve
        on
            digits.first_step = first_twelve.step
            and first_twelve.level = 1
    left join weights as next_twelve
        on
            digits.next_step = next_twelve.step
            and next_twelve.level = 2
    left join weights as last_twelve
        on
            digits.last_step = last_twelve.step
            and last_twelve.level = 3

)

select
    lead_id,
    partner_id,
    min(attribution_version) as attribution_version,
    count(*) as touches,
    bool_or(is_of_first_partner) as has_first,
    bool_or(is_last) as has_last,
    min_by(touch_id, {'occurred_at': occurred_at, 'touch_id': touch_id}) as oldest_touch_id,
    max_by(touch_id, {'occurred_at': occurred_at, 'touch_id': touch_id}) as newest_touch_id,
    sum({{ halved(product_of_parts('weight', 'last_weight'), 'half_lives') }}) as decay_weight
from looked_up
group by lead_id, partner_id
