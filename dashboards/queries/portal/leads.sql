-- Which leads does the partner have to do with, where do they stand, and what do they bring?
-- Grain: one row per lead and currency in which the partner earns on it (lead_id, payout_currency_code).
-- The stage of a lead is shown to a partner that is credited or still may be, to nobody else: naming a company must
-- not be a way to watch it. Credits and touches of others are counted for is_alone and is_spoken_to alone, which no
-- page shows: they decide whether a text of staff on the lead is meant for this partner.
-- Empty $lead_ids, $outcome and $stage do not filter.
-- Reads marts.fct_leads, fct_touchpoints, fct_lead_submissions, fct_attributions, fct_attribution_candidates,
-- fct_lead_stages, fct_commission_lines.
with

own_submissions as (

    select
        *,
        row_number() over (
            partition by lead_id
            order by verdict = 'valid' desc, verdict = 'pending' desc, submitted_at desc, submission_key
        ) as place
    from marts.fct_lead_submissions
    where
        partner_id = $partner_id
        and lead_id is not null

),

refused as (

    select submission_key
    from own_submissions
    where verdict not in ('valid', 'pending', 'duplicate_same_partner')

),

own_touches as (

    select
        touches.lead_id,
        min(touches.occurred_at) as first_at,
        max(touches.occurred_at) as last_at,
        count(case when refused.submission_key is null then 1 end) as standing_touches
    from marts.fct_touchpoints as touches
    left join refused
        on touches.touchpoint_id = refused.submission_key
    where
        touches.partner_id = $partner_id
        and touches.lead_id is not null
    group by touches.lead_id

),

paying as (

    select *
    from marts.fct_attributions
    where is_paying

),

own_credits as (

    select
        lead_id,
        credit_ppm
    from paying
    where
        partner_id = $partner_id
        and credit_ppm > 0

),

own_lines as (

    select
        lead_id,
        payout_currency_code,
        cast(sum(payout_amount_minor) as bigint) as earned_amount_minor,
        cast(coalesce(sum(case when status <> 'paid' then payout_amount_minor end), 0) as bigint)
            as expected_amount_minor,
        min(case when status <> 'paid' then expected_pay_date end) as expected_pay_date
    from marts.fct_commission_lines
    where
        partner_id = $partner_id
        and lead_id is not null
        and source_type <> 'commission'
    group by lead_id, payout_currency_code

),

own_losses as (

    select
        lead_id,
        max_by(rule, occurred_at) as rule
    from marts.fct_attribution_candidates
    where
        partner_id = $partner_id
        and not is_winner
        and rule <> 'A3:collapsed'
    group by lead_id

),

own_leads as (

    select lead_id
    from (
        select lead_id from own_touches
        union
        select lead_id from own_submissions
        union
        select lead_id from own_credits
        union
        select lead_id from own_lines
    )
    where
        len(cast($lead_ids as varchar[])) = 0
        or list_contains(cast($lead_ids as varchar[]), lead_id)

),

present_in as (

    select lead_id, partner_id from marts.fct_touchpoints
    union
    select lead_id, partner_id from marts.fct_lead_submissions
    union
    select lead_id, partner_id from paying
    union
    select lead_id, partner_id from marts.fct_commission_lines where source_type <> 'commission'

),

others as (

    select present_in.lead_id
    from present_in
    inner join own_leads
        on present_in.lead_id = own_leads.lead_id
    where present_in.partner_id <> $partner_id
    group by present_in.lead_id

),

largest_credits as (

    select
        lead_id,
        max(credit_ppm) as credit_ppm
    from paying
    where partner_id <> $partner_id
    group by lead_id

),

reached as (

    select
        lead_id,
        stage,
        min(reached_at) as reached_at
    from marts.fct_lead_stages
    where is_first
    group by lead_id, stage

),

judged as (

    select
        leads.lead_id,
        leads.company_domain,
        leads.email_masked,
        leads.stage as present_stage,
        leads.valid_at,
        leads.last_moved_at,
        own_submissions.submission_key,
        own_submissions.submission_type,
        own_submissions.submitted_at,
        own_submissions.registration_status,
        own_submissions.protected_until_at,
        own_credits.credit_ppm,
        own_losses.rule as losing_rule,
        case
            when own_credits.credit_ppm is not null then 'credited'
            when own_submissions.verdict not in ('valid', 'pending') then own_submissions.verdict
            when leads.valid_at is not null then 'not_credited'
            else 'pending'
        end as outcome,
        own_credits.credit_ppm is not null
        or (
            leads.valid_at is null
            and (coalesce(own_touches.standing_touches, 0) > 0 or own_submissions.verdict in ('valid', 'pending'))
        ) as is_followed,
        least(own_touches.first_at, own_submissions.submitted_at) as first_own_at,
        others.lead_id is null as is_alone,
        others.lead_id is null
        or coalesce(own_credits.credit_ppm, 0) > coalesce(largest_credits.credit_ppm, 0) as is_spoken_to
    from own_leads
    inner join marts.fct_leads as leads
        on own_leads.lead_id = leads.lead_id
    left join own_touches
        on leads.lead_id = own_touches.lead_id
    left join own_submissions
        on
            leads.lead_id = own_submissions.lead_id
            and own_submissions.place = 1
    left join own_credits
        on leads.lead_id = own_credits.lead_id
    left join own_losses
        on leads.lead_id = own_losses.lead_id
    left join others
        on leads.lead_id = others.lead_id
    left join largest_credits
        on leads.lead_id = largest_credits.lead_id

),

shown as (

    select
        judged.* exclude (present_stage, valid_at, last_moved_at),
        case when judged.is_followed then judged.present_stage end as stage,
        case when judged.is_followed then judged.valid_at end as valid_at,
        case
            when judged.is_followed then coalesce(reached.reached_at, judged.first_own_at)
            else judged.first_own_at
        end as since_at,
        own_lines.payout_currency_code,
        own_lines.earned_amount_minor,
        own_lines.expected_amount_minor,
        own_lines.expected_pay_date
    from judged
    left join reached
        on
            judged.lead_id = reached.lead_id
            and judged.present_stage = reached.stage
    left join own_lines
        on judged.lead_id = own_lines.lead_id

)

select
    *,
    count(*) over () as total
from shown
where
    ($outcome = '' or outcome = $outcome)
    and ($stage = '' or stage = $stage)
order by since_at desc nulls last, lead_id, payout_currency_code
limit $limit
offset $offset
