-- What would the partner's plan pay on a lead that became valid on $day, or becomes so? Plan of today, version of the
-- day (T2); bonuses and shares of other partners are not about one lead. Grain: one row per component_id.
-- Reads marts.dim_partners, marts.dim_terms.
select
    terms.component_id,
    terms.kind,
    terms.trigger_stage,
    terms.rate,
    terms.amounts_minor,
    terms.duration_months,
    terms.is_for_life,
    terms.tier_metric is not null as is_tiered,
    partners.payout_currency_code
from marts.dim_partners as partners
inner join marts.dim_terms as terms
    on partners.plan_id = terms.plan_id
where
    partners.partner_id = $partner_id
    and terms.kind in ('event', 'recurring')
    and terms.valid_from_date <= $day
    and (terms.valid_to_date is null or terms.valid_to_date > $day)
order by terms.kind, terms.component_id
