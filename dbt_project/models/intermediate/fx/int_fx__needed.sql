-- Grain: one row per pair of currencies and day on which something is earned in one and paid out in
-- the other (J6: the rate is fixed at earned_at), also by partners whom only a compared model credits (A7).
with

run as (

    select * from {{ ref('stg_program__run') }}

),

earned as (

    select currency_code, payout_currency_code, earned_at
    from {{ ref('int_commission__recurring_amounts') }}
    where whole_amount_minor <> 0

    union all

    select currency_code, payout_currency_code, earned_at
    from {{ ref('int_commission__judged_events') }}
    where reason is null

)

select distinct
    earned.currency_code as from_currency_code,
    earned.payout_currency_code as to_currency_code,
    {{ local_date('earned.earned_at') }} as rate_for_date
from earned
cross join run
where earned.currency_code <> earned.payout_currency_code
