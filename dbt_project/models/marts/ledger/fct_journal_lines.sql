-- Grain: one row per side of a journal entry (transaction_id, side). Rule J5: two balanced lines in the
-- payout currency, so that every transaction sums to zero per currency. amount_minor is positive;
-- signed_amount_minor is debit positive, credit negative.
with

entries as (

    select
        entry_id,
        entry_kind,
        payout_amount_minor,
        payout_currency_code
    from {{ ref('int_journal__entries') }}
    where payout_amount_minor <> 0

),

accounts as (

    -- The account beside payable:partner. What raises the balance debits it, what lowers it credits it.
    select
        entries.*,
        case entry_kind
            when 'payout' then 'in_transit:partner'
            when 'payout_return' then 'in_transit:partner'
            when 'write_off' then 'writeoff'
            when 'withholding' then 'withholding:tax'
            else 'expense:commission'
        end as counter_account
    from entries

)

select
    entry_id as transaction_id,
    case when payout_amount_minor > 0 then counter_account else 'payable:partner' end as account,
    'debit' as side,
    abs(payout_amount_minor) as amount_minor,
    abs(payout_amount_minor) as signed_amount_minor,
    payout_currency_code as currency_code
from accounts

union all

select
    entry_id,
    case when payout_amount_minor > 0 then 'payable:partner' else counter_account end,
    'credit',
    abs(payout_amount_minor),
    -abs(payout_amount_minor),
    payout_currency_code
from accounts
