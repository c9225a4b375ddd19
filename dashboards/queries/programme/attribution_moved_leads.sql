-- On which leads would a partner's credit differ under a model?
-- Grain: one row per lead (lead_id) of one partner and model. Reads: marts.fct_attributions,
-- marts.fct_leads.
with

paying as (

    select
        lead_id,
        credit_ppm
    from marts.fct_attributions
    where
        is_paying
        and partner_id = $partner

),

compared as (

    select
        lead_id,
        credit_ppm
    from marts.fct_attributions
    where
        model = $model
        and not is_paying
        and partner_id = $partner

),

-- A lead for which the model was not computed says nothing about it.
compared_leads as (

    select distinct lead_id
    from marts.fct_attributions
    where
        model = $model
        and not is_paying

)

select
    compared_leads.lead_id,
    leads.company_domain,
    leads.stage,
    coalesce(paying.credit_ppm, 0) as paying_credit_ppm,
    coalesce(compared.credit_ppm, 0) as model_credit_ppm
from compared_leads
left join paying
    on compared_leads.lead_id = paying.lead_id
left join compared
    on compared_leads.lead_id = compared.lead_id
left join marts.fct_leads as leads
    on compared_leads.lead_id = leads.lead_id
where coalesce(paying.credit_ppm, 0) <> coalesce(compared.credit_ppm, 0)
order by abs(coalesce(paying.credit_ppm, 0) - coalesce(compared.credit_ppm, 0)) desc, compared_leads.lead_id
