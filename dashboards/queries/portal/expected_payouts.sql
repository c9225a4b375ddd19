-- What is expected to be paid when, apart from what stands in a batch, before minimums and gates (P4)?
-- Grain: one row per (payout_currency_code, pay_date); what is held is not expected.
-- Reads exports.exp_payout_candidates, marts.fct_entry_claims, marts.fct_commission_lines, marts.mart_metadata.
with

candidates as (

    select *
    from exports.exp_payout_candidates
    where
        partner_id = $partner_id
        and not is_held

),

claimed as (

    select
        entry_id,
        sum(claimed_amount_minor) as claimed_amount_minor
    from marts.fct_entry_claims
    where not is_exported
    group by entry_id

),

lines as (

    select
        commission_id,
        expected_pay_date
    from marts.fct_commission_lines
    where partner_id = $partner_id

),

open_parts as (

    select
        candidates.payout_currency_code,
        coalesce(lines.expected_pay_date, metadata.next_pay_date) as pay_date,
        candidates.payout_amount_minor - coalesce(claimed.claimed_amount_minor, 0) as amount_minor
    from candidates
    cross join marts.mart_metadata as metadata
    left join claimed
        on candidates.entry_id = claimed.entry_id
    left join lines
        on candidates.commission_id = lines.commission_id

)

select
    payout_currency_code,
    pay_date,
    cast(sum(amount_minor) as bigint) as amount_minor
from open_parts
where amount_minor <> 0
group by payout_currency_code, pay_date
order by payout_currency_code, pay_date
