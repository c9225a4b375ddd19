-- A failing row: a paid line of credited customers counts twice as revenue, or not at all. Beside what is shared over
-- partners stands the sum of whole lines, per currency.
{{ config(tags=['payouts']) }}

with

wholes as (

    select
        lines.currency_code,
        sum({{ round_ratio(wide('lines.net_amount_minor') ~ ' * lines.paid_share', wide('lines.total_share')) }})
            as amount_minor
    from {{ ref('int_billing__paid_lines') }} as lines
    where
        lines.invoice_status is distinct from 'void'
        and lines.customer_id in (select customer_id from {{ ref('int_attribution__customer_credits') }})
    group by lines.currency_code

),

shared as (

    select
        currency_code,
        sum(collected_amount_minor) as amount_minor
    from {{ ref('fct_partner_revenue_daily') }}
    group by currency_code

)

select
    coalesce(wholes.currency_code, shared.currency_code) as currency_code,
    wholes.amount_minor as whole_amount_minor,
    shared.amount_minor as shared_amount_minor
from wholes
full outer join shared
    on wholes.currency_code = shared.currency_code
where coalesce(wholes.amount_minor, 0) <> coalesce(shared.amount_minor, 0)
