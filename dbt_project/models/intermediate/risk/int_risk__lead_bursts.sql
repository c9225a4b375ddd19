-- Grain: one row per burst of a partner's submissions (partner_id, the burst's first submission): more than
-- risk.burst_leads of them within risk.burst_hours, as long as that goes on.
with

rules as (

    select * from {{ ref('stg_program__risk') }}

),

numbered as (

    select
        verdicts.partner_id,
        verdicts.submission_key,
        verdicts.submitted_at,
        row_number() over (
            partition by verdicts.partner_id
            order by verdicts.submitted_at, verdicts.submission_key
        ) as submission_number
    from {{ ref('int_leads__verdicts') }} as verdicts
    inner join {{ ref('int_sources__partners') }} as partners
        on verdicts.partner_id = partners.partner_id

),

-- The number of the submission that must lie burst_hours back for this one not to be in a burst.
numbered_back as (

    select
        numbered.*,
        numbered.submission_number - rules.burst_leads as back_number,
        rules.burst_hours
    from numbered
    cross join rules

),

crowded as (

    select
        numbered_back.partner_id,
        numbered_back.submission_key,
        numbered_back.submitted_at,
        numbered_back.submission_number,
        earlier.submission_key as first_submission_key,
        earlier.submitted_at as first_submitted_at,
        earlier.submission_number as first_submission_number,
        numbered_back.submission_number - row_number() over (
            partition by numbered_back.partner_id
            order by numbered_back.submission_number
        ) as burst_number
    from numbered_back
    inner join numbered as earlier
        on
            numbered_back.partner_id = earlier.partner_id
            and numbered_back.back_number = earlier.submission_number
    where
        numbered_back.submitted_at < earlier.submitted_at + to_hours(cast(numbered_back.burst_hours as integer))

)

select
    'lead_burst' as kind,
    'low' as severity,
    'partner' as subject_type,
    partner_id as subject_id,
    partner_id,
    cast(null as varchar) as lead_id,
    min_by(first_submission_key, submission_number) as case_key,
    cast(max(submission_number) - min(first_submission_number) + 1 as varchar) || ' submissions from '
    || {{ shown_instant('min(first_submitted_at)') }} || ' to ' || {{ shown_instant('max(submitted_at)') }}
    || ', from ' || min_by(first_submission_key, submission_number) || ' to '
    || max_by(submission_key, submission_number) as evidence,
    max(submitted_at) as detected_at
from crowded
group by partner_id, burst_number
