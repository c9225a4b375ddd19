-- What was earned and taken back in one payout currency, and how many partners were active in any, in the period and
-- in the one it is compared with? Grain: one row. Reads: marts.fct_partner_daily, marts.dim_partners.
-- Metrics: earned, taken_back, active_partners.
with

partners as (

    -- One row per partner: what it had in each of the two.
    select
        partner_id,
        coalesce(sum(earned_amount_minor) filter (where is_asked and is_in_currency), 0) as earned,
        coalesce(sum(earned_amount_minor) filter (where is_compared and is_in_currency), 0) as earned_before,
        coalesce(sum(reversed_amount_minor) filter (where is_asked and is_in_currency), 0) as reversed,
        coalesce(sum(reversed_amount_minor) filter (where is_compared and is_in_currency), 0) as reversed_before,
        bool_or(is_asked and is_active) as is_active,
        bool_or(is_compared and is_active) as was_active
    from (
        select
            partner_id,
            earned_amount_minor,
            reversed_amount_minor,
            activity_date between $start and $end as is_asked,
            activity_date between $compare_start and $compare_end as is_compared,
            payout_currency_code = $currency as is_in_currency,
            valid_leads > 0 or earned_amount_minor <> 0 as is_active
        from marts.fct_partner_daily
        where
            (activity_date between $start and $end or activity_date between $compare_start and $compare_end)
            and ($partner_id = '' or partner_id = $partner_id)
    )
    group by partner_id

)

select
    coalesce(sum(earned), 0) as earned,
    coalesce(sum(earned_before), 0) as earned_before,
    -coalesce(sum(reversed), 0) as taken_back,
    -coalesce(sum(reversed_before), 0) as taken_back_before,
    count(*) filter (where is_active) as active_partners,
    count(*) filter (where was_active) as active_partners_before
from partners
where
    ($group_name = '' and not $only_pilot)
    or partner_id in (
        select partner_id from marts.dim_partners
        where
            ($group_name = '' or "group" = $group_name)
            and (not $only_pilot or is_pilot)
    )
