-- Grain: one row per pattern that somebody should look at before money leaves (signal_id). A signal never
-- changes an amount; those severe enough for risk.hold_from open a hold. Its id stays from night to night.
with

cases as (

    select * from {{ ref('int_risk__self_referrals') }}
    union all
    select * from {{ ref('int_risk__shared_payees') }}
    union all
    select * from {{ ref('int_risk__disposable_mail') }}
    union all
    select * from {{ ref('int_risk__fast_signups') }}
    union all
    select * from {{ ref('int_risk__refund_rates') }}
    union all
    select * from {{ ref('int_risk__lead_bursts') }}

)

select
    'sig_' || substr(
        md5(kind || chr(31) || subject_type || ':' || subject_id || chr(31) || case_key), 1, 16
    ) as signal_id,
    kind,
    severity,
    subject_type,
    subject_id,
    partner_id,
    lead_id,
    evidence,
    detected_at,
    case kind
        when 'self_referral'
            then 'see whether ' || partner_id || ' referred itself; rule on the lead, or release the hold'
        when 'shared_payee'
            then 'see whether the partners are one; correct the payee details or end one of them'
        when 'disposable_mail'
            then 'see whether the lead is a real company before it is paid for'
        when 'fast_signup'
            then 'see whether ' || partner_id || ' or a program signed up; rule on the lead if so'
        when 'refund_rate'
            then 'see whether ' || partner_id || ' brings customers who mean to stay; hold the partner if not'
        when 'lead_burst'
            then 'see whether ' || partner_id || ' submitted a list; decline what is none of its own leads'
    end as what_to_do
from cases
