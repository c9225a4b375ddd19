-- How many partners were active, each once a step? Grain: one row per step of the chart (start_date).
-- Reads: marts.fct_partner_daily, marts.dim_partners.
with

steps as (

    select
        unnest($starts::date[]) as start_date,
        unnest($ends::date[]) as end_date

),

days as (

    select distinct
        partner_id,
        activity_date
    from marts.fct_partner_daily
    where
        (valid_leads > 0 or earned_amount_minor <> 0)
        and activity_date between list_min($starts::date[]) and list_max($ends::date[])
        and (
            ($group_name = '' and not $only_pilot)
            or partner_id in (
                select partner_id from marts.dim_partners
                where
                    ($group_name = '' or "group" = $group_name)
                    and (not $only_pilot or is_pilot)
            )
        )

)

select
    steps.start_date,
    count(distinct days.partner_id) as active_partners
from steps
left join days
    on days.activity_date between steps.start_date and steps.end_date
group by steps.start_date
order by steps.start_date
