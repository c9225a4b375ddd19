-- Grain: one row per partner whose customers' paid lines of the 90 days up to as_of went back more than
-- risk.refund_times as often as those before (partner_id), with enough lines in both spans
-- (risk.refund_min_lines). A share is compared by cross-multiplication: nothing is divided.
with

run as (

    select * from {{ ref('stg_program__run') }}

),

rules as (

    select * from {{ ref('stg_program__risk') }}

),

partner_lines as (

    select
        credits.partner_id,
        lines.invoice_line_id,
        lines.invoice_id,
        lines.first_paid_at >= {{ add_days_24h('run.as_of_end_at', '-90') }} as is_recent
    from {{ ref('int_billing__paid_lines') }} as lines
    inner join {{ ref('int_identity__lead_records') }} as lead_records
        on
            lead_records.record_type = 'customer'
            and lines.customer_id = lead_records.record_id
    inner join {{ ref('int_attribution__credits') }} as credits
        on lead_records.lead_id = credits.lead_id
    cross join run

),

-- Refunds, what acts as one, and disputes that are open or lost. A won dispute gave nothing back.
causes as (

    select distinct invoice_id, invoice_line_id
    from {{ ref('int_adjustment__causes') }}
    where restored_at is null

),

whole_invoices as (

    select invoice_id
    from causes
    where invoice_line_id is null

),

single_lines as (

    select invoice_id, invoice_line_id
    from causes
    where invoice_line_id is not null

),

judged as (

    select
        partner_lines.partner_id,
        partner_lines.is_recent,
        partner_lines.invoice_line_id,
        whole_invoices.invoice_id is not null or single_lines.invoice_id is not null as is_returned
    from partner_lines
    left join whole_invoices
        on partner_lines.invoice_id = whole_invoices.invoice_id
    left join single_lines
        on
            partner_lines.invoice_id = single_lines.invoice_id
            and partner_lines.invoice_line_id = single_lines.invoice_line_id

),

counted as (

    select
        partner_id,
        count(*) filter (where is_recent) as recent_lines,
        count(*) filter (where is_recent and is_returned) as recent_returned,
        count(*) filter (where not is_recent) as earlier_lines,
        count(*) filter (where not is_recent and is_returned) as earlier_returned,
        min(invoice_line_id) filter (where is_recent and is_returned) as first_line_id
    from judged
    group by partner_id

)

select
    'refund_rate' as kind,
    'medium' as severity,
    'partner' as subject_type,
    counted.partner_id as subject_id,
    counted.partner_id,
    cast(null as varchar) as lead_id,
    -- A quarter later the 90 days hold other lines: what was looked at then is a new case.
    cast(cast(date_trunc('quarter', run.as_of) as date) as varchar) as case_key,
    cast(counted.recent_returned as varchar) || ' of ' || cast(counted.recent_lines as varchar)
    || ' lines paid in the last 90 days went back, among them ' || counted.first_line_id || '; before it was '
    || cast(counted.earlier_returned as varchar) || ' of ' || cast(counted.earlier_lines as varchar) as evidence,
    run.as_of_end_at as detected_at
from counted
cross join rules
cross join run
where
    counted.recent_lines >= rules.refund_min_lines
    and counted.earlier_lines >= rules.refund_min_lines
    and {{ wide('counted.recent_returned') }} * counted.earlier_lines
    > {{ wide('rules.refund_times') }} * counted.earlier_returned * counted.recent_lines
