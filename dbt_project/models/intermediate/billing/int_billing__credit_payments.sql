-- Grain: one row per invoice (invoice_id) on which the customer's credit balance was used.
-- Decision 0025: credit that a negative invoice left behind is money the customer paid before, and its lines
-- have taken back their commission: using it pays. Credit from anywhere else (a credit note, a gift) has its
-- commission still, or never had any: using it is no payment. Credit of negative invoices is used first.
with

invoices as (

    select * from {{ ref('int_billing__invoices') }}
    where paid_at is not null

),

used as (

    select
        source,
        customer_id,
        currency_code,
        invoice_id,
        paid_at,
        credit_applied_amount_minor,
        cast(sum(credit_applied_amount_minor) over (
            partition by source, customer_id, currency_code
            order by paid_at, invoice_id
            rows between unbounded preceding and current row
        ) as bigint) as used_so_far_minor
    from invoices
    where credit_applied_amount_minor > 0

),

covered as (

    select
        used.source,
        used.customer_id,
        used.currency_code,
        used.invoice_id,
        used.paid_at,
        used.credit_applied_amount_minor,
        least(
            used.used_so_far_minor,
            cast(coalesce(sum(-left_behind.total_amount_minor), 0) as bigint)
        ) as covered_so_far_minor
    from used
    left join invoices as left_behind
        on
            used.source = left_behind.source
            and used.customer_id = left_behind.customer_id
            and used.currency_code = left_behind.currency_code
            and left_behind.total_amount_minor < 0
            and left_behind.paid_at <= used.paid_at
    group by
        used.source, used.customer_id, used.currency_code, used.invoice_id, used.paid_at,
        used.credit_applied_amount_minor, used.used_so_far_minor

),

stepped as (

    select
        covered.*,
        covered_so_far_minor - lag(covered_so_far_minor, 1, cast(0 as bigint)) over (
            partition by source, customer_id, currency_code
            order by paid_at, invoice_id
        ) as covered_amount_minor
    from covered

)

select
    invoice_id,
    paid_at,
    least(covered_amount_minor, credit_applied_amount_minor) as paid_amount_minor,
    credit_applied_amount_minor
    - least(covered_amount_minor, credit_applied_amount_minor) as given_amount_minor
from stepped
