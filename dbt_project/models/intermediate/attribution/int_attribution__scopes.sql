-- Grain: one row per earning and what it was earned by (entry_id, scope_type, scope_id): the lead, the customer,
-- and the event where one earned. Pins and rulings hold by these (A6, decision 0031). A view: three
-- readings of one table, of a few columns each.
{{ config(materialized='view') }}

select entry_id, lead_id, home_lead_id, after_earning, is_pinning, age, credits, 'lead' as scope_type, lead_id as scope_id
from {{ ref('int_attribution__earned') }}

union all

select entry_id, lead_id, home_lead_id, after_earning, is_pinning, age, credits, 'customer', customer_id
from {{ ref('int_attribution__earned') }}
where customer_id is not null

union all

select
    entry_id, lead_id, home_lead_id, after_earning, is_pinning, age, credits, 'event', stage || ':' || source_type || ':' || source_id
from {{ ref('int_attribution__earned') }}
where stage is not null
