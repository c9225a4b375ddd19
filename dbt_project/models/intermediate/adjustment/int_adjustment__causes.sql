-- Grain: one row per event that can take back, or give back, on an invoice (cause_type, cause_id, kind).
-- amount_minor is with tax, positive when it takes. invoice_line_id is set where a refund names a line.
-- age_at decides R8: a dispute's age is that of its decision. policy names the setting that rules it.
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
    refunded_at as age_at
from {{ ref('int_adjustment__refunds') }}

union all

-- R3: after the payment a credit note acts as a refund, unless it went to the customer's balance.
select
    'credit_note', credit_note_id, 'credit_note', 'refund', invoice_id, null, amount_minor, issued_at, issued_at
from {{ ref('int_billing__credit_notes') }}
where
    credit_note_kind = 'post_payment'
    and not is_to_balance

union all

-- R2: reversed when opened, if the policy says so ...
select
    'dispute', dispute_id, 'chargeback', 'chargeback_on_open', invoice_id, null, amount_minor,
    opened_at, coalesce(closed_at, opened_at)
from disputes

union all

-- ... or when lost ...
select
    'dispute', dispute_id, 'chargeback', 'chargeback_on_lost', invoice_id, null, amount_minor,
    closed_at, closed_at
from disputes
where dispute_status = 'lost'

union all

-- ... and what was reversed on opening is reinstated when won, or lost under a policy that takes nothing.
select
    'dispute', dispute_id, 'reinstatement',
    case when dispute_status = 'won' then 'reinstate_on_won' else 'reinstate_on_lost' end,
    invoice_id, null, -amount_minor, closed_at, opened_at
from disputes
where dispute_status in ('won', 'lost')
