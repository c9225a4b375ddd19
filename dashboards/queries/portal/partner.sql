-- Who is the partner that asks, and when is the next pay date? Grain: one row, none for an unknown partner.
-- Reads marts.dim_partners, marts.mart_metadata.
select
    partners.name,
    partners.status,
    partners.plan_id,
    partners.payout_currency_code,
    metadata.next_pay_date
from marts.dim_partners as partners
cross join marts.mart_metadata as metadata
where partners.partner_id = $partner_id
