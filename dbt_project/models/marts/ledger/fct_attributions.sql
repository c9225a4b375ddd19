-- Grain: one row per (lead_id, partner_id, model). The paying model's row is what commissions follow,
-- pins included (A6); the others are computed beside it (A7). Credits of a model sum to 1,000,000.
with

paying as (

    select
        credits.lead_id,
        credits.partner_id,
        versions.model,
        true as is_paying,
        credits.credit_ppm,
        credits.valid_at as decided_at,
        credits.touch_id as touchpoint_id
    from {{ ref('int_attribution__credits') }} as credits
    inner join {{ ref('int_attribution__versions') }} as versions
        on credits.attribution_version = versions.attribution_version

),

compared as (

    select
        lead_id,
        partner_id,
        model,
        false as is_paying,
        credit_ppm,
        valid_at as decided_at,
        touch_id as touchpoint_id
    from {{ ref('int_attribution__model_credits') }}
    where not is_paying

)

select * from paying
union all
select * from compared
