-- Grain: one row per partner, with the payee gates as statuses only.
select * from {{ source('control', 'control__payees') }}
