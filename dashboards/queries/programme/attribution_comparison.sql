-- What would each partner gain or lose under a model?
-- Grain: one row per (partner_id, currency_code) of one model.
-- Reads: marts.fct_attribution_comparison, marts.dim_partners.
select
    comparison.*,
    partners.name
from marts.fct_attribution_comparison as comparison
left join marts.dim_partners as partners
    on comparison.partner_id = partners.partner_id
where
    comparison.model = $model
    and ($partner = '' or comparison.partner_id = $partner)
    and ($currency = '' or comparison.currency_code = $currency)
order by abs(comparison.moved_amount_minor) desc, comparison.partner_id, comparison.currency_code
