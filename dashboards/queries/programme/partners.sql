-- How does each partner do in the period, and what is it owed? Grain: one row per partner (partner_id); amounts in the
-- currency that it is paid in today. Reads: marts.dim_partners, marts.fct_partner_daily, marts.fct_partner_balances.
-- Metrics: valid_leads, demos_held, deals_won, new_customers (whole for each credited partner), earned, taken_back, net,
-- balance, last_activity.
with

days as (

    select
        daily.partner_id,
        sum(daily.valid_leads) as valid_leads,
        sum(daily.demos_held) as demos_held,
        sum(daily.deals_won) as deals_won,
        sum(daily.new_customers) as new_customers,
        sum(case when daily.payout_currency_code = partners.payout_currency_code then daily.earned_amount_minor else 0 end)
            as earned,
        -sum(
            case when daily.payout_currency_code = partners.payout_currency_code then daily.reversed_amount_minor else 0 end
        ) as taken_back
    from marts.fct_partner_daily as daily
    inner join marts.dim_partners as partners
        on daily.partner_id = partners.partner_id
    where daily.activity_date between $start and $end
    group by daily.partner_id

),

last_days as (

    select
        partner_id,
        max(activity_date) as last_activity_date
    from marts.fct_partner_daily
    where
        touches + submissions + valid_leads + signups + demos_booked + demos_held + deals_won + new_customers > 0
        or earned_amount_minor <> 0
        or reversed_amount_minor <> 0
    group by partner_id

)

select
    partners.partner_id,
    partners.name,
    partners."group" as group_name,
    partners.status,
    partners.is_pilot,
    partners.plan_id,
    partners.joined_at,
    partners.payout_currency_code as currency_code,
    coalesce(days.valid_leads, 0) as valid_leads,
    coalesce(days.demos_held, 0) as demos_held,
    coalesce(days.deals_won, 0) as deals_won,
    coalesce(days.new_customers, 0) as new_customers,
    coalesce(days.earned, 0) as earned,
    coalesce(days.taken_back, 0) as taken_back,
    coalesce(days.earned - days.taken_back, 0) as net,
    coalesce(balances.balance_amount_minor, 0) as balance_amount_minor,
    last_days.last_activity_date
from marts.dim_partners as partners
left join days
    on partners.partner_id = days.partner_id
left join last_days
    on partners.partner_id = last_days.partner_id
left join marts.fct_partner_balances as balances
    on
        partners.partner_id = balances.partner_id
        and partners.payout_currency_code = balances.payout_currency_code
where
    ($currency = '' or partners.payout_currency_code = $currency)
    and ($group_name = '' or partners."group" = $group_name)
    and ($status = '' or partners.status = $status)
    and (not $only_pilot or partners.is_pilot)
    and (
        $search = ''
        or lower(partners.partner_id) = lower($search)
        or contains(lower(partners.name), lower($search))
    )
