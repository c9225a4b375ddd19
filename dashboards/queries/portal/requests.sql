-- Which updates were partners asked for on leads that this partner has to do with? Which of them are for this
-- partner is decided by the page. Grain: one row per request (request_id).
-- Reads marts.fct_lead_update_requests, fct_touchpoints, fct_lead_submissions, fct_attributions.
with

own_leads as (

    select lead_id from marts.fct_touchpoints where partner_id = $partner_id
    union
    select lead_id from marts.fct_lead_submissions where partner_id = $partner_id
    union
    select lead_id from marts.fct_attributions where partner_id = $partner_id and is_paying

),

own_keys as (

    select submission_key
    from marts.fct_lead_submissions
    where partner_id = $partner_id

)

select
    request_id,
    lead_id,
    subject_key,
    reason,
    asked_at,
    due_at,
    answered_at,
    state
from marts.fct_lead_update_requests
where
    asked_of = 'partner'
    and (
        lead_id in (select own_leads.lead_id from own_leads where own_leads.lead_id is not null)
        or subject_key in (select own_keys.submission_key from own_keys)
    )
order by due_at, request_id
