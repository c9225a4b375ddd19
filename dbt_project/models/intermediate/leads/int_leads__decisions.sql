-- Grain: one row per decision that people took on a lead (decision_key): on a registration or an entered lead, or
-- a ruling on who brought it (L3, A6), with the lead as it is called now.
with

registration_decisions as (

    select
        'registration:' || cast(decisions.seq as varchar) as decision_key,
        verdicts.lead_id,
        'registration' as kind,
        decisions.registration_key as subject_key,
        decisions.decision,
        verdicts.partner_id,
        decisions.decided_at,
        decisions.decided_by,
        decisions.expires_at,
        decisions.reason,
        decisions.evidence
    from {{ ref('stg_control__registration_decisions') }} as decisions
    left join {{ ref('int_leads__verdicts') }} as verdicts
        on decisions.registration_key = verdicts.submission_key

),

rulings as (

    select
        'ruling:' || rulings.ruling_id || coalesce(':' || rulings.partner_id, '') as decision_key,
        coalesce(aliases.lead_id, rulings.lead_id) as lead_id,
        'ruling' as kind,
        'control:rulings:' || rulings.ruling_id as subject_key,
        rulings.state as decision,
        rulings.partner_id,
        coalesce(rulings.decided_at, rulings.proposed_at) as decided_at,
        rulings.decided_by,
        cast(null as timestamp) as expires_at,
        rulings.reason,
        rulings.evidence
    from {{ ref('stg_control__rulings') }} as rulings
    left join {{ ref('int_identity__lead_aliases') }} as aliases
        on rulings.lead_id = aliases.alias_lead_id

)

select * from registration_decisions
union all
select * from rulings
