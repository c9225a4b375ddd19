-- Grain: one row per exception of a batch (batch_id, exception_number), most pressing first (P5).
select
    batch_id,
    number as exception_number,
    kind,
    partner_id,
    amount_minor,
    detail
from {{ ref('int_payouts__batch_exceptions') }}
