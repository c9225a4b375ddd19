-- Grain: one row per submission (submission_key), judged on its own: what refuses it before any other
-- submission is looked at (early_verdict), and what it would be if nothing else stood in its way
-- (late_verdict). Rules L1, L4; the order of the verdicts is the order of L1.
with

run as (

    select * from {{ ref('stg_program__run') }}

),

submissions as (

    select * from {{ ref('int_leads__submissions') }}

),

partners as (

    select * from {{ ref('int_leads__partner_identities') }}

),

lead_domains as (

    select * from {{ ref('stg_program__lead_domains') }}

),

submission_domains as (

    select submission_key, lead_version, email_domain as domain
    from submissions
    where email_domain is not null

    union

    select submission_key, lead_version, company_domain
    from submissions
    where company_domain is not null

),

listed as (

    select
        submission_domains.submission_key,
        bool_or(lead_domains.list_name = 'own') as is_own_domain,
        bool_or(lead_domains.list_name = 'blocked') as is_blocked_domain
    from submission_domains
    inner join lead_domains
        on
            submission_domains.lead_version = lead_domains.lead_version
            and submission_domains.domain = lead_domains.domain
    group by submission_domains.submission_key

),

-- L4: the partner's own e-mail or company domain, or that of a partner with the same payee; agencies can be
-- allow-listed.
self_referrals as (

    select distinct submissions.submission_key
    from submissions
    inner join partners
        on submissions.partner_id = partners.partner_id
    left join submission_domains
        on
            submissions.submission_key = submission_domains.submission_key
            and partners.company_domain = submission_domains.domain
    left join {{ ref('stg_program__shared_mail_domains') }} as shared
        on partners.company_domain = shared.domain
    left join {{ ref('stg_program__self_referral_allowed') }} as allowed
        on
            submissions.lead_version = allowed.lead_version
            and submissions.partner_id = allowed.partner_id
    where
        submissions.self_referral_rule = 'reject'
        and allowed.partner_id is null
        and (
            submissions.email_key = partners.email_key
            or (submission_domains.domain is not null and shared.domain is null)
        )

),

-- L4: paid before the moment of the touch.
existing_customers as (

    select
        submissions.submission_key,
        first_events.source || ':' || first_events.source_type || 's:' || first_events.source_id as rival_key
    from submissions
    inner join {{ ref('int_leads__first_events') }} as first_events
        on
            submissions.lead_id = first_events.lead_id
            and first_events.stage = 'first_payment'
            and first_events.occurred_at < submissions.submitted_at
    where submissions.existing_customer_rule = 'reject'

),

-- L4: a deal open and created before the touch, unless that partner had any touch on the lead
-- before that deal.
open_deals as (

    select
        submissions.submission_key,
        submissions.lead_id,
        submissions.partner_id,
        deals.deal_id,
        deals.source,
        deals.created_at
    from submissions
    inner join {{ ref('int_identity__lead_records') }} as lead_records
        on
            submissions.lead_id = lead_records.lead_id
            and lead_records.record_type = 'deal'
    inner join {{ ref('int_sources__deals') }} as deals
        on
            lead_records.record_id = deals.deal_id
            and deals.created_at < submissions.submitted_at
            and (deals.closed_at is null or deals.closed_at > submissions.submitted_at)
    where submissions.open_opportunity_rule = 'reject'

),

open_opportunities as (

    select
        open_deals.submission_key,
        min_by(
            open_deals.source || ':deals:' || open_deals.deal_id,
            {'created_at': open_deals.created_at, 'deal_id': open_deals.deal_id}
        ) as rival_key
    from open_deals
    where not exists (
        select 1
        from {{ ref('int_leads__touches') }} as touches
        where
            -- Only an approved registration is a touch (A2).
            touches.is_touch
            and touches.lead_id = open_deals.lead_id
            and touches.partner_id = open_deals.partner_id
            and touches.occurred_at < open_deals.created_at
    )
    group by open_deals.submission_key

),

windows as (

    select
        valid_events.lead_id,
        valid_events.valid_at,
        {{ add_days_24h('valid_events.valid_at', '-versions.touch_window_days') }} as window_starts_at
    from {{ ref('int_leads__valid_events') }} as valid_events
    inner join {{ ref('stg_program__attribution_versions') }} as versions
        on
            valid_events.valid_date >= versions.valid_from_date
            and valid_events.valid_date < versions.valid_to_date

)

select
    submissions.*,
    windows.valid_at,
    case
        when submissions.registration_status = 'declined' then 'declined'
        when submissions.registration_status = 'withdrawn' then 'withdrawn'
        when submissions.lead_id is null or not submissions.is_known_partner then 'incomplete'
        when listed.is_own_domain then 'own_domain'
        when listed.is_blocked_domain then 'blocked'
        when self_referrals.submission_key is not null then 'self_referral'
        when existing_customers.submission_key is not null then 'existing_customer'
        when open_opportunities.submission_key is not null then 'open_opportunity'
    end as early_verdict,
    case
        when
            submissions.record_type = 'deal_registration'
            and submissions.expires_at <= coalesce(windows.valid_at, run.as_of_end_at)
            then 'expired'
        when
            submissions.submitted_at > windows.valid_at
            or submissions.submitted_at < windows.window_starts_at
            then 'out_of_window'
        when windows.valid_at is null or submissions.registration_status = 'pending' then 'pending'
        else 'valid'
    end as late_verdict,
    case
        when listed.is_own_domain or listed.is_blocked_domain or self_referrals.submission_key is not null
            then null
        else coalesce(existing_customers.rival_key, open_opportunities.rival_key)
    end as early_rival_key
from submissions
left join listed
    on submissions.submission_key = listed.submission_key
left join self_referrals
    on submissions.submission_key = self_referrals.submission_key
left join existing_customers
    on submissions.submission_key = existing_customers.submission_key
left join open_opportunities
    on submissions.submission_key = open_opportunities.submission_key
left join windows
    on submissions.lead_id = windows.lead_id
cross join run
