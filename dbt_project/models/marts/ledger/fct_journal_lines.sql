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
                -- What came back after its debit was known comes from the bank account. A debit that is read
                -- later leaves this line as it was first told.
                when entries.entry_kind = 'payout_return' and items.is_returned_after_settlement then 'cash:rail'
                when entries.entry_kind = 'payout_return' then 'in_transit:partner'
                when entries.entry_kind = 'write_off' then 'writeoff'
                when entries.entry_kind = 'withholding' then 'withholding:tax'
                else 'expense:commission'
            end as account
        from entries
        left join items
            -- One equality: a condition on the left side alone would compare every pair.
            on case when entries.source_type = 'payout' then entries.source_id end = items.payout_id
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

settlements_told_late as (

    -- The debit of a payout that was known as returned before: the bank account got back what it gave.
    select
        payout_id || ':settled_late' as transaction_id,
        'cash:rail' as debit_account,
        'in_transit:partner' as credit_account,
        amount_minor,
        currency_code
    from items
    where
        settled_date is not null
        and state = 'returned'
        and not is_returned_after_settlement

),

transactions as (

    select * from entry_transactions
    union all
    select * from settlements
    union all
    select * from settlements_told_late

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
