-- Grain: one row per partner in a batch, or left out of it.
select * from {{ source('control', 'control__payout_items') }}
