-- Grain: one row per former id of a lead (alias_lead_id), with the id it has now (F4).
select
    alias_lead_id,
    lead_id
from {{ ref('int_identity__known_aliases') }}
