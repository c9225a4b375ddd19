-- Is every paid invoice line earned, or unearned for one reason (B6)?
-- Grain: one row per currency (currency_code). Reads: marts.fct_commission_lines,
-- marts.fct_unpaid_lines. A split line counts once.
with

earned as (

    select
        currency_code,
        count(distinct source_id) as lines,
        sum(amount_minor) as commission_amount_minor
    from marts.fct_commission_lines
    where
        kind = 'earning'
        and source_type = 'invoice_line'
    group by currency_code

),

unearned as (

    select
        currency_code,
        count(*) as lines,
        sum(amount_minor) as amount_minor
    from marts.fct_unpaid_lines
    group by currency_code

)

select
    coalesce(earned.currency_code, unearned.currency_code) as currency_code,
    coalesce(earned.lines, 0) as earned_lines,
    coalesce(unearned.lines, 0) as unearned_lines,
    coalesce(earned.lines, 0) + coalesce(unearned.lines, 0) as paid_lines,
    coalesce(earned.commission_amount_minor, 0) as commission_amount_minor,
    coalesce(unearned.amount_minor, 0) as unearned_amount_minor
from earned
full join unearned
    on earned.currency_code = unearned.currency_code
order by 1
