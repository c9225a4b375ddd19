-- Grain: one row per exception (exception_id): what needs a person, with what to do about it.
select distinct
    exception_id,
    kind,
    severity,
    subject,
    amount_minor,
    currency_code,
    coalesce(owner, case when severity = 'info' then 'partnerships' else 'finance' end) as owner,
    opened_at,
    what_to_do
from {{ ref('int_payouts__exceptions') }}
