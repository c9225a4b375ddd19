-- Which registrations wait for a decision, as the night knew them, and which submissions belong to
-- no lead (the newest 500)? Grain: one row per submission (submission_key).
-- Reads: marts.fct_lead_submissions.
with

waiting as (

    select *
    from marts.fct_lead_submissions
    where
        submission_type = 'deal_registration'
        and registration_status = 'pending'

),

without_lead as (

    select *
    from marts.fct_lead_submissions
    where lead_id is null
    order by submitted_at desc, submission_key
    limit 500

)

select * from waiting
union
select * from without_lead
