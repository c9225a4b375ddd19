-- Grain: one row per customer whose paid lines earn nobody anything, currency and partner whom the customer's
-- lead nevertheless points to (customer_id, currency_code, partner_id), with the newest evidence and why it
-- does not count (L6). Evidence is a touch, or else a form whose campaign is a partner's code.
with

unpaid as (

    select
        customer_id,
        currency_code,
        max(lead_id) as lead_id,
        cast(sum(amount_minor) as bigint) as amount_minor,
        count(*) as paid_lines,
        min(first_paid_date) as first_paid_date,
        min(reason) as reason
    from {{ ref('int_commission__unpaid_lines') }}
    where
        reason in ('no_attribution', 'lead_not_valid')
        and lead_id is not null
    group by customer_id, currency_code

),

unpaid_leads as (

    select distinct lead_id
    from unpaid

),

touches as (

    select
        touches.lead_id,
        touches.partner_id,
        touches.touch_type as evidence_type,
        {{ record_key('touches.source', 'touches.record_type', 'touches.record_id') }} as evidence_key,
        touches.occurred_at as evidence_at,
        touches.touch_id,
        touches.record_type,
        touches.record_id
    from {{ ref('int_leads__touches') }} as touches
    inner join unpaid_leads
        on touches.lead_id = unpaid_leads.lead_id
    where touches.partner_id is not null

),

-- A form that is no touch may still name a partner in its campaign.
campaigns as (

    select
        lead_records.lead_id,
        forms.submission_id,
        forms.source,
        forms.submitted_at,
        {{ record_key('forms.source', "'form_submission'", 'forms.submission_id') }} as evidence_key,
        upper(trim(forms.utm_source)) as source_key,
        upper(trim(forms.utm_campaign)) as campaign_key
    from {{ ref('int_sources__form_submissions') }} as forms
    inner join {{ ref('int_identity__lead_records') }} as lead_records
        on
            lead_records.record_type = 'form_submission'
            and forms.submission_id = lead_records.record_id
    inner join unpaid_leads
        on lead_records.lead_id = unpaid_leads.lead_id
    left join touches
        on
            touches.record_type = 'form_submission'
            and forms.submission_id = touches.record_id
    where touches.touch_id is null

),

named_codes as (

    select lead_id, submitted_at, evidence_key, source_key as code_key
    from campaigns

    union

    select lead_id, submitted_at, evidence_key, campaign_key
    from campaigns

),

-- The code's holder at that instant; of several at once the latest begun, as for touches (A2).
holders as (

    select
        named_codes.lead_id,
        named_codes.evidence_key,
        named_codes.submitted_at,
        codes.partner_id,
        row_number() over (
            partition by named_codes.evidence_key, named_codes.code_key
            order by codes.starts_at desc, codes.arrival desc, codes.row_number desc
        ) as holder_rank
    from named_codes
    inner join {{ ref('int_sources__partner_codes') }} as codes
        on
            named_codes.code_key = codes.code_key
            and named_codes.submitted_at >= codes.starts_at
            and named_codes.submitted_at < codes.ends_at

),

-- A6: people decided that nobody is credited.
ruled as (

    select distinct lead_id
    from {{ ref('int_attribution__rulings') }}

),

evidence as (

    select lead_id, partner_id, evidence_type, evidence_key, evidence_at, touch_id
    from touches

    union all

    select lead_id, partner_id, 'utm', evidence_key, submitted_at, null
    from holders
    where holder_rank = 1

),

ranked as (

    select
        evidence.*,
        row_number() over (
            partition by lead_id, partner_id
            order by case when evidence_type = 'utm' then 2 else 1 end, evidence_at desc, evidence_key
        ) as evidence_rank
    from evidence

)

select
    unpaid.customer_id,
    unpaid.currency_code,
    ranked.partner_id,
    unpaid.lead_id,
    unpaid.amount_minor,
    unpaid.paid_lines,
    unpaid.first_paid_date,
    unpaid.reason,
    ranked.evidence_type,
    ranked.evidence_key,
    ranked.evidence_at,
    case
        when unpaid.reason = 'lead_not_valid' then 'lead_not_valid'
        when ruled.lead_id is not null then 'A6:ruling'
        when ranked.evidence_type = 'utm' then 'utm_only'
        -- No version of the rules in force on the valid day lists that type of touch.
        else coalesce(candidates.excluded_by, 'A2:not_in_priority')
    end as why_not,
    coalesce(leads.owner, {{ mailbox_name('partners.manager_email') }}, 'partnerships') as owner
from unpaid
inner join ranked
    on
        unpaid.lead_id = ranked.lead_id
        and ranked.evidence_rank = 1
inner join {{ ref('int_sources__partners') }} as partners
    on ranked.partner_id = partners.partner_id
left join {{ ref('int_leads__leads') }} as leads
    on unpaid.lead_id = leads.lead_id
left join ruled
    on unpaid.lead_id = ruled.lead_id
left join {{ ref('int_attribution__candidates') }} as candidates
    on
        ranked.lead_id = candidates.lead_id
        and ranked.touch_id = candidates.touch_id
