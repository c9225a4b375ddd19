-- Grain: one row per paid invoice line that earns nothing (invoice_line_id), with the one reason (B6).
-- The first reason in the order of the rules: no lead decision, no attribution, no plan; of what several
-- components and partners say, the reason that is nearest to paying (decision 0036).
with

run as (

    select * from {{ ref('stg_program__run') }}

),

lines as (

    select * from {{ ref('int_billing__paid_lines') }}

),

earning_lines as (

    select distinct source_id as invoice_line_id
    from {{ ref('int_commission__earnings') }}
    where
        source_type = 'invoice_line'
        and reason is null

),

judged as (

    select
        invoice_line_id, partner_id, lead_id, component_order, reason
    from {{ ref('int_commission__judged_lines') }}
    where
        reason is not null
        and is_paying

    union all

    select
        invoice_line_id, partner_id, lead_id, component_order,
        case
            when (is_line_cut and cap_left_minor = 0) or (is_part_cut and part_left_minor = 0) then 'capped'
            else 'zero_amount'
        end
    from {{ ref('int_commission__recurring_amounts') }}
    where
        amount_minor = 0
        and is_paying
        and not is_waiting_for_rate

    union all

    select
        source_id, partner_id, lead_id, component_order, reason
    from {{ ref('int_commission__earnings') }}
    where
        source_type = 'invoice_line'
        and reason is not null
        and reason <> 'ruled_away'

),

first_reasons as (

    select
        invoice_line_id,
        max_by(
            reason,
            case reason
                when 'no_plan' then 1
                when 'no_component' then 2
                when 'product_excluded' then 3
                when 'kind_excluded' then 4
                when 'credit_excluded' then 5
                when 'stopped_after_gap' then 6
                when 'outside_duration' then 7
                when 'conversion_window' then 8
                when 'capped' then 9
                when 'zero_amount' then 10
                else 11
            end
        ) as reason
    from judged
    group by invoice_line_id

),

lead_facts as (

    select
        lead_records.record_id as customer_id,
        lead_records.lead_id,
        leads.verdict
    from {{ ref('int_identity__lead_records') }} as lead_records
    inner join {{ ref('int_leads__leads') }} as leads
        on lead_records.lead_id = leads.lead_id
    where lead_records.record_type = 'customer'

)

select
    lines.invoice_line_id,
    lines.invoice_id,
    lines.customer_id,
    lead_facts.lead_id,
    lines.net_amount_minor as amount_minor,
    lines.currency_code,
    coalesce(
        first_reasons.reason,
        case
            when lead_facts.lead_id is null then 'no_lead'
            when lead_facts.verdict in ('own_domain', 'blocked') then 'lead_rejected'
            when lead_facts.verdict = 'pending' then 'lead_not_valid'
            else 'no_attribution'
        end
    ) as reason,
    {{ local_date('lines.first_paid_at') }} as first_paid_date
from lines
left join earning_lines
    on lines.invoice_line_id = earning_lines.invoice_line_id
left join first_reasons
    on lines.invoice_line_id = first_reasons.invoice_line_id
left join lead_facts
    on lines.customer_id = lead_facts.customer_id
cross join run
where earning_lines.invoice_line_id is null
