-- Grain: one row per (lead_id, partner_id, model). The paying model's row is what commissions follow,
-- pins and rulings included (A6); the others are computed beside it (A7). Credits of a lead and model sum to
-- 1,000,000.
with

paying as (

    select
        credits.lead_id,
        credits.partner_id,
        versions.model,
        true as is_paying,
        credits.credit_ppm,
        credits.valid_at as decided_at,
        credits.touch_id as touchpoint_id,
        credits.decided_by
    from {{ ref('int_attribution__credits') }} as credits
    inner join {{ ref('int_attribution__versions') }} as versions
        on credits.attribution_version = versions.attribution_version

),

compared as (

    select
        model_credits.lead_id,
        model_credits.partner_id,
        model_credits.model,
        false as is_paying,
        model_credits.credit_ppm,
        decided_leads.valid_at as decided_at,
        model_credits.touch_id as touchpoint_id,
        'computed' as decided_by
    from {{ ref('int_attribution__model_credits') }} as model_credits
    inner join {{ ref('int_attribution__decided_leads') }} as decided_leads
        on model_credits.lead_id = decided_leads.lead_id
    where not model_credits.is_paying

)

select * from paying
union all
select * from compared
