-- Who is this partner? Grain: one row or none. Reads: marts.dim_partners, marts.fct_partner_daily.
select
    partners.*,
    (
        select max(activity_date)
        from marts.fct_partner_daily
        where
            partner_id = $partner_id
            and (
                touches + submissions + valid_leads + signups + demos_booked + demos_held + deals_won + new_customers > 0
                or earned_amount_minor <> 0
                or reversed_amount_minor <> 0
            )
    ) as last_activity_date
from marts.dim_partners as partners
where partners.partner_id = $partner_id
