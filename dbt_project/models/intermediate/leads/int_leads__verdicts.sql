-- Grain: one row per submission (submission_key), with exactly one verdict, the first of L1 that
-- applies, the rule behind it and the record it lost to.
with

screened as (

    select * from {{ ref('int_leads__screened_submissions') }}

),

judged as (

    select
        screened.*,
        protection.barring_key,
        coalesce(
            screened.early_verdict,
            case
                when protection.barring_partner_id = screened.partner_id then 'duplicate_same_partner'
                when protection.barring_partner_id is not null then 'duplicate_other_partner'
            end,
            screened.late_verdict
        ) as verdict
    from screened
    left join {{ ref('int_leads__protection') }} as protection
        on screened.submission_key = protection.submission_key

)

select
    submission_key,
    touch_id,
    record_type,
    record_id,
    source,
    lead_id,
    partner_id,
    submitted_at,
    registration_status,
    expires_at,
    -- L3: until when it bars other partners; nothing where it protects nothing.
    case
        when
            record_type = 'deal_registration'
            and registration_status = 'approved'
            and verdict in ('pending', 'valid', 'duplicate_same_partner', 'expired', 'out_of_window')
            then protected_until_at
        when record_type <> 'deal_registration' and verdict in ('pending', 'valid') then protected_until_at
    end as protected_until_at,
    verdict,
    case
        when verdict in ('existing_customer', 'open_opportunity', 'self_referral') then 'L4'
        when verdict in ('duplicate_same_partner', 'duplicate_other_partner', 'expired') then 'L3'
        when verdict in ('out_of_window') then 'A1'
        when verdict in ('pending', 'valid') then 'L2'
        else 'L1'
    end as rule,
    case
        when verdict in ('duplicate_same_partner', 'duplicate_other_partner') then barring_key
        when verdict in ('existing_customer', 'open_opportunity') then early_rival_key
    end as rival_key,
    -- L4: the touch of a rejected submission does not compete; that of a same-partner duplicate does.
    verdict in ('pending', 'valid', 'duplicate_same_partner') as is_competing
from judged
