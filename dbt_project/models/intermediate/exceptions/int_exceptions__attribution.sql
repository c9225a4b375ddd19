-- Grain: one row per exception about who is credited (kind, subject, currency_code, what_to_do).
{{ config(tags=['payouts']) }}

with

-- L6: the customer points to a partner, yet the money has no attribution, and nobody has ruled on it. Its
-- amount counts once, whatever number of partners it points to.
missed_credit as (

    select
        'missed_credit' as kind,
        'warning' as severity,
        'customer:' || customer_id as subject,
        max(amount_minor) as amount_minor,
        currency_code,
        min_by(owner, {'is_default': owner = 'partnerships', 'partner_id': partner_id}) as owner,
        cast(min(first_paid_date) as timestamp) as opened_at,
        'paid lines (' || min(reason)
        || ') of a customer that carries a partner''s code, link, form or CRM field; rule on the attribution' as what_to_do
    from {{ ref('int_leads__missed_credits') }}
    where why_not <> 'A6:ruling'
    group by customer_id, currency_code

),

-- A6: shares are named where there are several.
differences as (

    select
        scope_type,
        scope_id,
        string_agg(
            partner_id || case when credit_ppm < 1000000 then ' (' || cast(credit_ppm as varchar) || ' ppm)' else '' end,
            ', ' order by partner_id
        ) filter (where credit_ppm > 0) as held,
        string_agg(
            partner_id || case when computed_credit_ppm < 1000000 then ' (' || cast(computed_credit_ppm as varchar) || ' ppm)' else '' end,
            ', ' order by partner_id
        ) filter (where computed_credit_ppm > 0) as computed,
        max(decided_at) as decided_at
    from {{ ref('int_attribution__discrepancies') }}
    where
        held_by = 'pin'
        and scope_type in ('lead', 'customer')
    group by scope_type, scope_id

),

discrepancies as (

    select
        'attribution_discrepancy', 'warning', scope_type || ':' || scope_id, null, null, null, decided_at,
        'the ' || scope_type || ' has earned for ' || held || ' and stays there; today''s facts would give '
        || coalesce('it to ' || computed, 'nobody the credit') || '; confirm or rule otherwise'
    from differences

)

select * from missed_credit
union all
select * from discrepancies
