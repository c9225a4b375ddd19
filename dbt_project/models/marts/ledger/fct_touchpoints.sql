-- Grain: one row per touch (touchpoint_id): clicks, codes, forms, registrations and CRM fields (A2).
-- lead_id is null for visitors nobody knows yet, partner_id for codes that belong to no partner.
select
    touch_id as touchpoint_id,
    lead_id,
    partner_id,
    touch_type,
    occurred_at
from {{ ref('int_leads__touches') }}
