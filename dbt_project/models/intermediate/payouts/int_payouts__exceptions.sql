-- Grain: one row per exception (exception_id): what needs a person, with what to do about it.
{{ config(tags=['payouts']) }}

with

run as (

    select * from {{ ref('stg_program__run') }}

),

rejected_rows as (

    select
        'rejected_row' as kind,
        'error' as severity,
        rejects.source || ':' || rejects.file || ':' || cast(rejects.line as varchar)
        || coalesce(':' || rejects.column_name, '') as subject,
        cast(null as bigint) as amount_minor,
        cast(null as varchar) as currency_code,
        cast(null as varchar) as owner,
        run.as_of_end_at as opened_at,
        rejects.reason || '; correct the row and drop the file again' as what_to_do
    from {{ ref('stg_ingest__rejects') }} as rejects
    cross join run

),

failed_streams as (

    select
        'stream_failed', 'error', streams.source || ':' || streams.stream, null, null, null,
        run.as_of_end_at, coalesce(streams.what_to_do, streams.message)
    from {{ ref('stg_ingest__streams') }} as streams
    cross join run
    where streams.status = 'failed'

),

-- A stream that is no longer pulled still counts with what it delivered last.
late_streams as (

    select
        'stream_late', 'warning', streams.source || ':' || streams.stream, null, null, null,
        run.as_of_end_at,
        'it was last pulled at ' || strftime(streams.pulled_at, '%Y-%m-%d %H:%M') || ' UTC, more than '
        || streams.freshness_hours || ' hours before the end of the day; see why the night does not pull it'
    from {{ ref('stg_ingest__streams') }} as streams
    cross join run
    where
        streams.status <> 'failed'
        and streams.pulled_at + to_hours(streams.freshness_hours) < run.as_of_end_at

),

unknown_codes as (

    select
        'unknown_code', 'warning', source || ':' || record_type || 's:' || record_id, null, null, null,
        occurred_at,
        'no partner held the code of this record at that moment; add it to partner_codes or correct it'
    from {{ ref('int_leads__touches') }}
    where is_unknown_code

),

ambiguous_codes as (

    select
        'ambiguous_code', 'error', source || ':partner_codes:' || upper(trim(code)), cast(null as bigint),
        cast(null as varchar), cast(null as varchar), max(run.as_of_end_at),
        'one delivery gives the code to several partners from the same moment; the last row counts: '
        || 'give each its own valid_from'
    from {{ ref('int_received__partner_codes') }}
    cross join run
    group by source, upper(trim(code)), arrival, valid_from_at
    having count(distinct partner_id) > 1

),

unknown_partners as (

    select
        'unknown_partner', 'error', source || ':' || record_type || 's:' || record_id, null, null, null,
        occurred_at,
        'partner ' || named_partner_id || ' is not in partners; add the partner or correct the record'
    from {{ ref('int_leads__touches') }}
    where
        named_partner_id is not null
        and partner_id is null

),

duplicate_invoices as (

    select
        'duplicate_invoice', 'warning',
        duplicates.source || ':invoices:' || duplicates.invoice_id,
        invoices.total_amount_minor, invoices.currency_code, null, invoices.issued_at,
        'the same money as ' || duplicates.kept_source || ':invoices:' || duplicates.kept_invoice_id
        || ', which counts; stop delivering it twice'
    from {{ ref('int_billing__duplicate_invoices') }} as duplicates
    inner join {{ ref('int_billing__landed_invoices') }} as invoices
        on
            duplicates.source = invoices.source
            and duplicates.invoice_id = invoices.invoice_id

),

paid_without_date as (

    select
        'paid_without_date', 'error', invoices.source || ':invoices:' || invoices.invoice_id,
        invoices.total_amount_minor, invoices.currency_code, null, invoices.issued_at,
        'status is paid but neither paid_at nor a payment says when; deliver one of them'
    from {{ ref('int_billing__invoices') }} as invoices
    left join {{ ref('int_billing__payments') }} as payments
        on invoices.invoice_id = payments.invoice_id
    where
        invoices.invoice_status = 'paid'
        and not invoices.is_paid_later
        and payments.invoice_id is null

),

waiting_for_rate as (

    select
        'missing_fx_rate', 'error',
        earnings.source_type || ':' || earnings.source_id || ':' || earnings.component_id
        || ':' || earnings.partner_id,
        earnings.amount_minor, earnings.currency_code, null, earnings.earned_at,
        'no rate from ' || earnings.currency_code || ' to ' || earnings.payout_currency_code
        || ' within 7 days up to ' || cast(earnings.earned_date as varchar) || '; deliver fx_rates for it'
    from {{ ref('int_commission__earnings') }} as earnings
    where earnings.reason = 'no_fx_rate'

),

waiting_events as (

    select
        events.reason, 'error',
        events.source_type || ':' || events.source_id || ':' || events.component_id
        || ':' || events.partner_id,
        null, events.currency_code, null, events.event_at,
        case events.reason
            when 'no_amount_for_currency'
                then 'component ' || events.component_id || ' names no amount in ' || events.payout_currency_code
                || '; add it to a new plan version'
            else 'the won deal has no amount or currency; complete it in the CRM'
        end
    from {{ ref('int_commission__judged_events') }} as events
    where events.reason in ('no_amount_for_currency', 'deal_without_amount')

),

missing_plans as (

    select
        'no_plan', 'error', 'partner:' || lead_plans.partner_id, null, null, null,
        max(run.as_of_end_at),
        'no plan version was in force when the lead became valid; date the plan earlier or add an override'
    from {{ ref('int_terms__lead_plans') }} as lead_plans
    cross join run
    where lead_plans.plan_version is null
    group by lead_plans.partner_id

),

-- L6: the customer carries a partner's touch, yet the money has no attribution.
missed_credit as (

    select
        'missed_credit', 'warning', 'customer:' || unpaid.customer_id,
        cast(sum(unpaid.amount_minor) as bigint), unpaid.currency_code, max(leads.owner),
        cast(min(unpaid.first_paid_date) as timestamp),
        'paid lines (' || min(unpaid.reason)
        || ') of a customer that carries a partner''s code, link, form or CRM field; rule on the attribution'
    from {{ ref('int_commission__unpaid_lines') }} as unpaid
    left join {{ ref('int_leads__leads') }} as leads
        on unpaid.lead_id = leads.lead_id
    where
        unpaid.reason in ('no_attribution', 'lead_not_valid')
        and exists (
            select 1
            from {{ ref('int_leads__touches') }} as touches
            where
                touches.lead_id = unpaid.lead_id
                and touches.partner_id is not null
        )
    group by unpaid.customer_id, unpaid.currency_code

),

discrepancies as (

    select
        'attribution_discrepancy', 'warning', 'lead:' || lead_id, null, null, null, valid_at,
        'the lead has earned for ' || partner_id || ' and stays there; today''s facts would give '
        || coalesce('it to ' || computed_partner_id, 'nobody the credit') || '; confirm or rule otherwise'
    from {{ ref('int_attribution__credits') }}
    where is_pinned_against_computation

),

stale_leads as (

    select
        'stale_lead', 'info', 'lead:' || leads.lead_id, null, null, leads.owner, leads.last_moved_at,
        'no movement for ' || cast(versions.stale_days as varchar) || ' days; ask the owner for an update'
    from {{ ref('int_leads__leads') }} as leads
    cross join run
    inner join {{ ref('stg_program__lead_versions') }} as versions
        on
            run.as_of >= versions.valid_from_date
            and run.as_of < versions.valid_to_date
    where
        leads.stage in ('new', 'signup', 'demo_booked', 'demo_held', 'qualified')
        and leads.verdict in ('pending', 'valid')
        and {{ add_days_24h('leads.last_moved_at', 'versions.stale_days') }} <= run.as_of_end_at
        and exists (
            select 1
            from {{ ref('int_leads__verdicts') }} as verdicts
            where
                verdicts.lead_id = leads.lead_id
                and verdicts.is_competing
        )

),

negative_balances as (

    select
        'negative_balance', 'warning', 'partner:' || entries.partner_id,
        cast(sum(entries.payout_amount_minor) as bigint), entries.payout_currency_code, null,
        max(run.as_of_end_at),
        'more was taken back than earned; it is offset against later earnings'
    from {{ ref('int_payouts__entry_states') }} as entries
    cross join run
    group by entries.partner_id, entries.payout_currency_code
    having sum(entries.payout_amount_minor) < 0

),

orphans as (

    select
        kind, case kind when 'no_invoice' then 'warning' else 'error' end, source || ':' || record_type || 's:' || record_id, amount_minor,
        cast(null as varchar), cast(null as varchar), occurred_at,
        case kind
            when 'amount_not_positive' then 'its amount is not above 0, so it takes nothing back; correct the record'
            when 'no_invoice' then 'the payment that it gives back belongs to no invoice that is known, so it takes nothing back; if it should, deliver the link or the invoice'
            when 'unknown_line' then 'it names line ' || missing_id || ', which is not on its invoice; correct the record'
            else 'it names invoice ' || missing_id || ', which no source has delivered; deliver it or correct the record'
        end
    from {{ ref('int_billing__orphans') }}

),

-- Verdicts judge submissions; a partner's own link or code on its own purchase is for people to rule on.
self_referrals as (

    select
        'self_referral', 'warning', 'lead:' || credits.lead_id, cast(null as bigint),
        cast(null as varchar), cast(null as varchar), max(touches.occurred_at),
        'the touch that carries the credit comes from ' || max(credits.partner_id)
        || ' itself (own e-mail or company domain); hold the lead and rule on it'
    from {{ ref('int_attribution__credits') }} as credits
    inner join {{ ref('int_leads__touches') }} as touches
        on credits.touch_id = touches.touch_id
    inner join {{ ref('int_identity__records') }} as records
        on
            touches.record_type = records.record_type
            and touches.record_id = records.record_id
    inner join {{ ref('int_sources__partners') }} as partners
        on credits.partner_id = partners.partner_id
    where
        records.email_key = {{ email_key('partners.email') }}
        or (records.is_business_email_domain and records.email_domain = {{ domain_key('partners.company_domain') }})
    group by credits.lead_id

),

exceptions as (

    select * from rejected_rows
    union all
    select * from failed_streams
    union all
    select * from late_streams
    union all
    select * from unknown_codes
    union all
    select distinct * from ambiguous_codes
    union all
    select * from unknown_partners
    union all
    select * from duplicate_invoices
    union all
    select * from paid_without_date
    union all
    select * from waiting_for_rate
    union all
    select * from waiting_events
    union all
    select * from missing_plans
    union all
    select * from missed_credit
    union all
    select * from discrepancies
    union all
    select * from stale_leads
    union all
    select * from negative_balances
    union all
    select * from orphans
    union all
    select * from self_referrals

)

select
    md5(kind || chr(31) || subject || chr(31) || coalesce(currency_code, '') || chr(31) || what_to_do) as exception_id,
    exceptions.*
from exceptions
