-- Grain: one row per partner who may refer themselves (L4).
select * from {{ source('program', 'program__self_referral_allowed') }}
