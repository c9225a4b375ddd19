-- Which partners can be chosen? Grain: one row per partner (partner_id). Reads: marts.dim_partners.
select partner_id, name from marts.dim_partners order by partner_id
