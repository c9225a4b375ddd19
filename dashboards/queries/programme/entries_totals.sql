-- What do all entries that match come to? Grain: one row per currency (payout_currency_code).
-- Reads: marts.fct_commission_entries, marts.fct_entry_claims, marts.fct_entry_holds,
-- marts.fct_payout_batches, marts.mart_metadata. The filters are those of entries.sql.
with

metadata as (

    select as_of from marts.mart_metadata

),

entries as (

    select *
    from marts.fct_commission_entries
    where
        ($month = '' or posting_period = $month)
        and ($partner = '' or partner_id = $partner)
        and ($kind = '' or entry_kind = $kind)
        and ($currency = '' or payout_currency_code = $currency)
        -- What a batch of that day claims may have become available at any time.
        and (
            $pay_date is null
            or available_date between $first_available and $last_available
            or entry_id in (
                select claimed.entry_id
                from marts.fct_entry_claims as claimed
                inner join marts.fct_payout_batches as paying
                    on claimed.batch_id = paying.batch_id
                where paying.pay_date = $pay_date
            )
        )

),

claims as (

    select
        claims.entry_id,
        claims.batch_id,
        claims.claimed_amount_minor,
        claims.is_exported,
        batches.pay_date
    from marts.fct_entry_claims as claims
    left join marts.fct_payout_batches as batches
        on claims.batch_id = batches.batch_id
    where claims.entry_id in (select entry_id from entries)

),

claimed_amounts as (

    select
        entry_id,
        sum(claimed_amount_minor) as claimed_amount_minor
    from claims
    group by entry_id

),

-- An entry is one part, but for a negative one that batches claim bit by bit (P3).
parts as (

    select
        entries.*,
        claims.batch_id,
        claims.pay_date,
        claims.is_exported,
        claims.claimed_amount_minor as part_amount_minor
    from entries
    inner join claims
        on entries.entry_id = claims.entry_id

    union all

    select
        entries.*,
        null,
        null,
        null,
        entries.payout_amount_minor - coalesce(claimed_amounts.claimed_amount_minor, 0)
    from entries
    left join claimed_amounts
        on entries.entry_id = claimed_amounts.entry_id
    where
        claimed_amounts.entry_id is null
        or claimed_amounts.claimed_amount_minor <> entries.payout_amount_minor

),

stated as (

    select
        parts.*,
        holds.hold_reason,
        case
            when parts.entry_kind = 'payout' or parts.is_exported then 'paid'
            when parts.batch_id is not null then 'in_batch'
            when holds.entry_id is not null then 'held'
            when parts.available_date <= metadata.as_of then 'available'
            else 'on_hold'
        end as entry_state
    from parts
    cross join metadata
    left join marts.fct_entry_holds as holds
        on parts.entry_id = holds.entry_id

),

matching as (

    select *
    from stated
    where
        ($state = '' or entry_state = $state)
        and (
            $pay_date is null
            or (
                entry_state in ('on_hold', 'available', 'in_batch')
                and (
                    pay_date = $pay_date
                    or (pay_date is null and available_date between $first_available and $last_available)
                )
            )
        )

)

select
    payout_currency_code,
    count(*) as entries,
    sum(part_amount_minor) as amount_minor
from matching
group by payout_currency_code
order by payout_currency_code
