-- What is owed to each partner, and what of it is available? Grain: one row per (partner_id, currency_code) with
-- entries. Reads: marts.fct_partner_balances, marts.dim_partners.
select
    balances.partner_id,
    partners.name,
    partners.status,
    coalesce(partners.is_pilot, false) as is_pilot,
    balances.payout_currency_code as currency_code,
    balances.available_amount_minor,
    balances.balance_amount_minor
from marts.fct_partner_balances as balances
left join marts.dim_partners as partners
    on balances.partner_id = partners.partner_id
where
    ($partner_id = '' or balances.partner_id = $partner_id)
    and ($group_name = '' or partners."group" = $group_name)
    and (not $only_pilot or partners.is_pilot)
order by balances.partner_id, balances.payout_currency_code
