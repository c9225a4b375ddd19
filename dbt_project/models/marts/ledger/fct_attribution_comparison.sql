-- Grain: one row per (model, partner_id, currency_code): what each compared model would have earned a partner
-- beside what it earns, over the leads for which the rules compare that model (A7). Earnings before
-- take-backs. `recomputed` is the paying model without pins and rulings (A6).
with

amounts as (

    select * from {{ ref('int_commission__compared_amounts') }}

)

select
    model,
    partner_id,
    currency_code,
    count(distinct lead_id) as leads,
    cast(sum(paying_amount_minor) as bigint) as paying_amount_minor,
    cast(sum(model_amount_minor) as bigint) as model_amount_minor,
    cast(sum(model_amount_minor - paying_amount_minor) as bigint) as moved_amount_minor
from amounts
group by model, partner_id, currency_code
