-- Does the same money, counted in two places, tie (B6)?
-- Grain: one row per statement and currency (statement, currency_code). Reads:
-- marts.fct_commission_entries, marts.fct_commission_lines, marts.fct_partner_balances,
-- marts.fct_commission_liability, marts.fct_journal_lines, marts.fct_payout_batches,
-- marts.fct_payout_items.
with

entries as (

    select
        currency_code,
        payout_currency_code,
        entry_kind in ('payout', 'payout_return', 'write_off', 'withholding') as is_of_payout,
        sum(amount_minor) as amount_minor,
        sum(payout_amount_minor) as payout_amount_minor
    from marts.fct_commission_entries
    group by 1, 2, 3

),

journal as (

    select
        payout_currency_code as currency_code,
        sum(payout_amount_minor) as amount_minor
    from entries
    group by 1

),

earned as (

    select
        currency_code,
        sum(amount_minor) as amount_minor
    from entries
    where not is_of_payout
    group by 1

),

lines as (

    select
        currency_code,
        sum(amount_minor) as amount_minor
    from marts.fct_commission_lines
    group by 1

),

balances as (

    select
        payout_currency_code as currency_code,
        sum(balance_amount_minor) as amount_minor
    from marts.fct_partner_balances
    group by 1

),

liability as (

    select
        payout_currency_code as currency_code,
        sum(amount_minor) as amount_minor
    from marts.fct_commission_liability
    group by 1

),

debits as (

    select
        currency_code,
        sum(amount_minor) filter (where side = 'debit') as amount_minor,
        sum(amount_minor) filter (where side = 'credit') as other_amount_minor
    from marts.fct_journal_lines
    group by 1

),

batches as (

    select
        currency_code,
        sum(total_amount_minor) as amount_minor
    from marts.fct_payout_batches
    group by 1

),

items as (

    select
        currency_code,
        sum(amount_minor) as amount_minor
    from marts.fct_payout_items
    where
        left_out_reason is null
        and batch_id is not null
    group by 1

),

compared as (

    select 1 as place, 'lines' as statement, coalesce(a.currency_code, b.currency_code) as currency_code,
        a.amount_minor, b.amount_minor as other_amount_minor
    from lines as a
    full join earned as b
        on a.currency_code = b.currency_code

    union all

    select 2, 'balances', coalesce(a.currency_code, b.currency_code), a.amount_minor, b.amount_minor
    from balances as a
    full join journal as b
        on a.currency_code = b.currency_code

    union all

    select 3, 'liability', coalesce(a.currency_code, b.currency_code), a.amount_minor, b.amount_minor
    from liability as a
    full join journal as b
        on a.currency_code = b.currency_code

    union all

    select 4, 'ledger', currency_code, amount_minor, other_amount_minor
    from debits

    union all

    select 5, 'batches', coalesce(a.currency_code, b.currency_code), a.amount_minor, b.amount_minor
    from batches as a
    full join items as b
        on a.currency_code = b.currency_code

)

select
    statement,
    currency_code,
    coalesce(amount_minor, 0) as amount_minor,
    coalesce(other_amount_minor, 0) as other_amount_minor,
    coalesce(amount_minor, 0) = coalesce(other_amount_minor, 0) as is_equal
from compared
order by place, currency_code
