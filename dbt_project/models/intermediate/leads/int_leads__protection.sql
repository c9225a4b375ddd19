-- Grain: one row per submission that no early rule refuses (submission_key), with the submission that
-- protected the lead at that moment, if any. Rule L3: protection is half-open, starts at the first
-- accepted submission (pending or valid) or at an approved registration, and bars other partners.
-- One step per submission of a lead, all leads at once: whether a submission protects depends on
-- whether an earlier one barred it.
with recursive

ordered as (

    select
        submission_key,
        lead_id,
        partner_id,
        submitted_at,
        protected_until_at,
        -- An undecided registration protects nothing; an approved one protects even when it
        -- later expired, from its submission to its end.
        case
            when record_type = 'deal_registration' then registration_status = 'approved'
            else late_verdict in ('pending', 'valid')
        end as is_protecting,
        record_type = 'deal_registration' and registration_status = 'approved' as is_approved_registration,
        row_number() over (partition by lead_id order by submitted_at, submission_key) as step_number
    from {{ ref('int_leads__screened_submissions') }}
    where early_verdict is null

),

walk as (

    select
        ordered.lead_id,
        ordered.step_number,
        ordered.submission_key,
        cast(null as varchar) as barring_key,
        cast(null as varchar) as barring_partner_id,
        case when ordered.is_protecting then ordered.submission_key end as holder_key,
        case when ordered.is_protecting then ordered.partner_id end as holder_partner_id,
        case when ordered.is_protecting then ordered.protected_until_at end as held_until_at
    from ordered
    where ordered.step_number = 1

    union all

    select
        ordered.lead_id,
        ordered.step_number,
        ordered.submission_key,
        case when ordered.submitted_at < walk.held_until_at then walk.holder_key end,
        case when ordered.submitted_at < walk.held_until_at then walk.holder_partner_id end,
        case
            -- The holder's own approved registration prolongs the protection and holds it from then on.
            when
                ordered.submitted_at < walk.held_until_at
                and ordered.is_approved_registration
                and ordered.partner_id = walk.holder_partner_id
                and ordered.protected_until_at > walk.held_until_at
                then ordered.submission_key
            when ordered.submitted_at < walk.held_until_at then walk.holder_key
            when ordered.is_protecting then ordered.submission_key
            else walk.holder_key
        end,
        case
            when ordered.submitted_at < walk.held_until_at then walk.holder_partner_id
            when ordered.is_protecting then ordered.partner_id
            else walk.holder_partner_id
        end,
        case
            when ordered.submitted_at < walk.held_until_at
                then case
                    when
                        ordered.is_approved_registration
                        and ordered.partner_id = walk.holder_partner_id
                        then greatest(walk.held_until_at, ordered.protected_until_at)
                    else walk.held_until_at
                end
            when ordered.is_protecting then ordered.protected_until_at
            else walk.held_until_at
        end
    from walk
    inner join ordered
        on
            walk.lead_id = ordered.lead_id
            and walk.step_number + 1 = ordered.step_number

)

select
    submission_key,
    lead_id,
    barring_key,
    barring_partner_id
from walk
