-- In which currency is this partner paid? Grain: one row or none. Reads: marts.dim_partners.
select payout_currency_code from marts.dim_partners where partner_id = $partner_id
