-- Grain: one row per event that can take back on an invoice (cause_type, cause_id, policy).
-- amount_minor is with tax. invoice_line_id is set where a refund names a line. policy names the
-- setting that rules it; restored_at is when a won dispute gives back what its opening took.
with

disputes as (

    select * from {{ ref('int_adjustment__disputes') }}

)

select
    'refund' as cause_type,
    refund_id as cause_id,
    'refund' as kind,
    'refund' as policy,
    invoice_id,
    invoice_line_id,
    amount_minor,
    refunded_at as event_at,
    cast(null as timestamp) as restored_at
from {{ ref('int_adjustment__refunds') }}

union all

-- R3: after the payment a credit note acts as a refund, unless it went to the customer's balance.
select
    'credit_note', credit_note_id, 'credit_note', 'refund', invoice_id, null, amount_minor, issued_at, null
from {{ ref('int_billing__credit_notes') }}
where
    credit_note_kind = 'post_payment'
    and not is_to_balance

union all

-- R2: reversed when opened, if the policy says so, and reinstated when won ...
select
    'dispute', dispute_id, 'chargeback', 'chargeback_on_open', invoice_id, null, amount_minor, opened_at,
    case when dispute_status = 'won' then closed_at end
from disputes

union all

-- ... or reversed when lost.
select
    'dispute', dispute_id, 'chargeback', 'chargeback_on_lost', invoice_id, null, amount_minor, closed_at, null
from disputes
where dispute_status = 'lost'
