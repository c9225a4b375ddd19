-- Grain: one row per pay date with the last day it pays for (P4).
select * from {{ source('program', 'program__pay_calendar') }}
