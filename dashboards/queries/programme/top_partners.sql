-- Which partners earned most in one currency in the period? Grain: one row per partner, the first $limit.
-- Reads: marts.fct_partner_daily, marts.dim_partners. Metrics: earned, taken_back, net; counts of leads are whole for
-- each credited partner.
with

days as (

    select
        partner_id,
        sum(case when payout_currency_code = $currency then earned_amount_minor else 0 end) as earned,
        -sum(case when payout_currency_code = $currency then reversed_amount_minor else 0 end) as taken_back,
        sum(valid_leads) as valid_leads,
        sum(deals_won) as deals_won,
        sum(new_customers) as new_customers
    from marts.fct_partner_daily
    where activity_date between $start and $end
    group by partner_id

)

select
    days.*,
    partners.name,
    partners."group" as group_name,
    days.earned - days.taken_back as net
from days
left join marts.dim_partners as partners
    on days.partner_id = partners.partner_id
where
    (days.earned <> 0 or days.taken_back <> 0)
    and ($group_name = '' or partners."group" = $group_name)
    and (not $only_pilot or partners.is_pilot)
order by net desc, days.partner_id
limit $limit
