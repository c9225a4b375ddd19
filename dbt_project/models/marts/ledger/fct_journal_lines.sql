-- Grain: one row per side of a transaction (transaction_id, side): a journal entry, or the bank's word that a payout
-- was settled. Rule J5: two balanced lines in the payout currency, so that every transaction sums to zero per
-- currency. amount_minor is positive; signed_amount_minor is debit positive, credit negative.
with

entries as (

    select * from {{ ref('int_journal__entries') }}
    where payout_amount_minor <> 0

),

items as (

    select * from {{ ref('int_payouts__items') }}

),

entry_transactions as (

    -- The account beside payable:partner. What raises the balance debits it, what lowers it credits it.
    select
        entries.entry_id as transaction_id,
        case
            when entries.payout_amount_minor > 0 then counter_accounts.account else 'payable:partner'
        end as debit_account,
        case
            when entries.payout_amount_minor > 0 then 'payable:partner' else counter_accounts.account
        end as credit_account,
        abs(entries.payout_amount_minor) as amount_minor,
        entries.payout_currency_code as currency_code
    from entries
    inner join (
        select
            entries.entry_id,
            case
                when entries.entry_kind = 'payout' then 'in_transit:partner'
                -- Money that came back after it was settled comes from the bank account.
                when entries.entry_kind = 'payout_return' and items.settled_date is not null then 'cash:rail'
                when entries.entry_kind = 'payout_return' then 'in_transit:partner'
                when entries.entry_kind = 'write_off' then 'writeoff'
                when entries.entry_kind = 'withholding' then 'withholding:tax'
                else 'expense:commission'
            end as account
        from entries
        left join items
            on
                entries.source_type = 'payout'
                and entries.source_id = items.payout_id
    ) as counter_accounts
        on entries.entry_id = counter_accounts.entry_id

),

settlements as (

    select
        payout_id || ':settled' as transaction_id,
        'in_transit:partner' as debit_account,
        'cash:rail' as credit_account,
        amount_minor,
        currency_code
    from items
    where settled_date is not null

),

transactions as (

    select * from entry_transactions
    union all
    select * from settlements

)

select
    transaction_id,
    debit_account as account,
    'debit' as side,
    amount_minor,
    amount_minor as signed_amount_minor,
    currency_code
from transactions

union all

select
    transaction_id,
    credit_account,
    'credit',
    amount_minor,
    -amount_minor,
    currency_code
from transactions
