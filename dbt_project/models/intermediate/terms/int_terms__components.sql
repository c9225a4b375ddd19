-- Grain: one row per component of a plan version, with the version's hold and take-back policy (T1).
-- Lists are text for reading, such as EUR 4500, USD 5000 in minor units.
with

amounts as (

    select
        plan_id,
        plan_version,
        component_id,
        string_agg(
            currency_code || ' ' || cast(amount_minor as varchar), ', ' order by currency_code
        ) as amounts_minor
    from {{ ref('stg_program__component_amounts') }}
    where amount_role = 'amount'
    group by plan_id, plan_version, component_id

),

limits as (

    select
        plan_id,
        plan_version,
        component_id,
        string_agg(
            amount_role || ' ' || currency_code || ' ' || cast(amount_minor as varchar), ', '
            order by amount_role, currency_code
        ) as limits_minor
    from {{ ref('stg_program__component_amounts') }}
    where amount_role <> 'amount'
    group by plan_id, plan_version, component_id

),

bands as (

    select
        plan_id,
        plan_version,
        component_id,
        string_agg(
            'from ' || cast(from_value as varchar) || ' ' || cast(rate as varchar), ', ' order by band_number
        ) as tier_bands
    from {{ ref('stg_program__component_bands') }}
    group by plan_id, plan_version, component_id

),

product_rates as (

    select
        plan_id,
        plan_version,
        component_id,
        string_agg(product_id || ' ' || cast(rate as varchar), ', ' order by product_id) as product_rates
    from {{ ref('stg_program__component_product_rates') }}
    group by plan_id, plan_version, component_id

),

conditions as (

    select
        plan_id,
        plan_version,
        component_id,
        string_agg(country || ' ' || cast(rate as varchar), ', ' order by condition_order, country) as country_rates
    from {{ ref('stg_program__component_conditions') }}
    group by plan_id, plan_version, component_id

),

products as (

    select
        plan_id,
        plan_version,
        component_id,
        string_agg(product_id, ', ' order by product_id) filter (where is_included) as included_products,
        string_agg(product_id, ', ' order by product_id) filter (where not is_included) as excluded_products
    from {{ ref('stg_program__component_products') }}
    group by plan_id, plan_version, component_id

),

churn_bands as (

    select
        plan_id,
        plan_version,
        string_agg(
            'under ' || cast(under_days as varchar) || ' days ' || cast(share as varchar), ', ' order by under_days
        ) as churn_table
    from {{ ref('stg_program__churn_table') }}
    group by plan_id, plan_version

)

select
    components.*,
    amounts.amounts_minor,
    limits.limits_minor,
    bands.tier_bands,
    product_rates.product_rates,
    conditions.country_rates,
    products.included_products,
    products.excluded_products,
    churn_bands.churn_table,
    versions.valid_from_date,
    versions.valid_to_date,
    versions.terms_follow,
    versions.hold_days,
    versions.hold_after,
    versions.refund_mode,
    versions.chargeback_on_open,
    versions.chargeback_on_lost,
    versions.chargeback_on_won,
    versions.churn_mode,
    versions.churn_window_days,
    versions.max_age_days
from {{ ref('stg_program__components') }} as components
inner join {{ ref('stg_program__plan_versions') }} as versions
    on
        components.plan_id = versions.plan_id
        and components.plan_version = versions.plan_version
left join amounts
    on
        components.plan_id = amounts.plan_id
        and components.plan_version = amounts.plan_version
        and components.component_id = amounts.component_id
left join limits
    on
        components.plan_id = limits.plan_id
        and components.plan_version = limits.plan_version
        and components.component_id = limits.component_id
left join bands
    on
        components.plan_id = bands.plan_id
        and components.plan_version = bands.plan_version
        and components.component_id = bands.component_id
left join product_rates
    on
        components.plan_id = product_rates.plan_id
        and components.plan_version = product_rates.plan_version
        and components.component_id = product_rates.component_id
left join conditions
    on
        components.plan_id = conditions.plan_id
        and components.plan_version = conditions.plan_version
        and components.component_id = conditions.component_id
left join products
    on
        components.plan_id = products.plan_id
        and components.plan_version = products.plan_version
        and components.component_id = products.component_id
left join churn_bands
    on
        components.plan_id = churn_bands.plan_id
        and components.plan_version = churn_bands.plan_version
