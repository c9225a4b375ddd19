-- Grain: one row per (lead_id, model, partner_id): the credit in parts per million that each model in
-- force gives (A3, A7). Credits of a lead and model sum to exactly 1,000,000.
with

touches as (

    select * from {{ ref('int_attribution__sequences') }}
    where not is_collapsed

),

models as (

    select * from {{ ref('stg_program__attribution_models') }}

)

select
    touches.lead_id,
    models.model,
    models.is_paying,
    touches.partner_id,
    touches.touch_id,
    touches.valid_at,
    touches.attribution_version,
    1000000 as credit_ppm
from touches
inner join models
    on touches.attribution_version = models.attribution_version
where
    (models.model = 'last_touch' and touches.touch_number = touches.touches)
    or (models.model = 'first_touch' and touches.touch_number = 1)
