-- What do the earnings of the same filters add up to, on the side of earning and of taking back?
-- The sides are those of marts.fct_partner_balances: what takes back from a negative earning counts as earned, and a
-- ruling that adds to what a partner had. Grain: one row per payout_currency_code.
-- Reads marts.fct_commission_lines, marts.fct_commission_entries.
with

lines as (

    select *
    from marts.fct_commission_lines
    where partner_id = $partner_id

),

entries as (

    select *
    from marts.fct_commission_entries
    where partner_id = $partner_id

),

first_entries as (

    select
        commission_id,
        min_by(payout_amount_minor, ordinal) as payout_amount_minor
    from entries
    where entry_kind = 'earning'
    group by commission_id

),

takebacks_of_negatives as (

    select distinct takebacks.commission_id
    from entries as takebacks
    inner join entries as reversed_entries
        on takebacks.reverses_entry_id = reversed_entries.entry_id
    inner join first_entries
        on reversed_entries.commission_id = first_entries.commission_id
    where first_entries.payout_amount_minor < 0

),

sided as (

    select
        lines.payout_currency_code,
        lines.payout_amount_minor,
        lines.kind in ('earning', 'bonus', 'adjustment')
        or (lines.kind = 'ruling' and lines.payout_amount_minor > 0)
        or takebacks_of_negatives.commission_id is not null as is_earned_side
    from lines
    left join takebacks_of_negatives
        on lines.commission_id = takebacks_of_negatives.commission_id
    where
        lines.effective_date >= $start
        and lines.effective_date <= $end
        and ($status = '' or lines.status = $status)

)

select
    payout_currency_code,
    count(*) as lines,
    cast(sum(case when is_earned_side then payout_amount_minor else 0 end) as bigint) as earned_amount_minor,
    cast(sum(case when is_earned_side then 0 else payout_amount_minor end) as bigint) as taken_amount_minor,
    cast(sum(payout_amount_minor) as bigint) as net_amount_minor
from sided
group by payout_currency_code
order by payout_currency_code
