-- Grain: one row per (lead_id, model, partner_id): what a compared model would credit (A7). credits is the whole
-- list, for splits.
with

computed as (

    select
        lead_id,
        case when is_paying then 'recomputed' else model end as model,
        partner_id,
        credit_ppm
    from {{ ref('int_attribution__model_credits') }}

),

lists as (

    select
        computed.lead_id,
        computed.model,
        {{ credit_list('computed.partner_id', 'computed.credit_ppm') }} as credits
    from computed
    inner join {{ ref('int_attribution__comparisons') }} as comparisons
        on
            computed.lead_id = comparisons.lead_id
            and computed.model = comparisons.model
    group by computed.lead_id, computed.model

)

select
    lists.*,
    {{ unnested_credits('lists.credits') }}
from lists
