-- Grain: one row per approved manual adjustment (adjustment_id), signed from the partner's view (J1, decision 0042).
select * from {{ source('control', 'control__adjustments') }}
