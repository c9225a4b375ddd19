-- What the snapshot says of one partner who signs in. Reads marts.dim_partners.
-- Grain: one row, or none for a partner that no night has seen yet.
select
    partner_id,
    name,
    status
from marts.dim_partners
where partner_id = $partner_id
