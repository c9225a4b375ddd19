"""How much of a negative balance is netted against what a partner earned since (P3).

What belongs here: choosing which part of which entries a batch claims. What does not: which
entries are payable (``candidates``).

What is taken back before it was paid cancels its own line first: nobody is paid half of a sale that
was refunded on the next day. Only lines that are negative as a whole are a negative balance; they
are netted up to ``offset_share`` of the positive lines, oldest first, the last one in part. What is
left is carried and stays claimable. A payout that came back is paid again whole.

Worked example, 2026-03-15, offset_share 0.5: lines of +80.00 and +21.01, and −70.00 from a refund
of what was paid in January. Positive 101.01, half of it rounds to 50.51, so 50.50 are paid and
−19.49 are carried.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


def claim_within_offset(connection: DuckDBPyConnection, table: str, offset_share: Decimal) -> None:
    """Lower what ``table`` claims of negative lines to the share, and add what is carried.

    table: one row per entry with partner_id, payout_currency_code, line_id, entry_id,
    available_date and payout_amount_minor, which becomes the claimed part, 0 when nothing of the
    entry is claimed. Adds ``carried_amount_minor``, zero or negative. With a share of 1 everything
    is claimed.
    """
    connection.execute(f"alter table {table} add column carried_amount_minor bigint default 0")
    if offset_share >= 1:
        return
    numerator, denominator = offset_share.as_integer_ratio()
    connection.execute(
        f"""
        create or replace temp table payout_proposal_parts as
        with lines as (
            select
                payout_currency_code, partner_id, line_id,
                sum(payout_amount_minor)::hugeint as line_minor,
                -- What came back was earned, and netted, before.
                bool_or(entry_kind = 'payout_return') as is_return,
                min(available_date) as line_date
            from {table}
            group by all
        ),
        -- Half away from zero, on whole numbers.
        budgets as (
            select
                payout_currency_code, partner_id,
                (2 * coalesce(sum(line_minor) filter (
                    line_minor > 0 and not is_return
                ), 0) * {numerator}
                    + {denominator}) // (2 * {denominator}) as offset_minor
            from lines
            group by all
        ),
        negative_lines as (
            select
                lines.*,
                greatest(0, least(-line_minor, offset_minor - (sum(-line_minor) over (
                    partition by lines.payout_currency_code, lines.partner_id
                    order by line_date, line_id rows unbounded preceding
                ) + line_minor))) as netted_minor
            from lines
            join budgets using (payout_currency_code, partner_id)
            where line_minor < 0
        ),
        -- Inside a line, what it still has to its credit is claimed whole, and then as much of its
        -- negative entries, oldest first, as leads to what is netted.
        takings as (
            select
                entries.entry_id, entries.payout_amount_minor, negative_lines.netted_minor,
                negative_lines.netted_minor + coalesce(sum(entries.payout_amount_minor) filter (
                    entries.payout_amount_minor > 0
                ) over own_line, 0) as takable_minor,
                coalesce(sum(-entries.payout_amount_minor) filter (
                    entries.payout_amount_minor < 0
                ) over (own_line order by entries.available_date, entries.entry_id
                    rows between unbounded preceding and 1 preceding), 0) as taken_before_minor
            from {table} as entries
            join negative_lines using (payout_currency_code, partner_id, line_id)
            window own_line as (
                partition by entries.payout_currency_code, entries.partner_id, entries.line_id
            )
        )
        select
            entry_id,
            case
                when netted_minor = 0 then 0
                when payout_amount_minor > 0 then payout_amount_minor
                else -greatest(0, least(-payout_amount_minor, takable_minor - taken_before_minor))
            end::bigint as claimed_minor
        from takings
        """
    )
    connection.execute(
        f"update {table} as entry set payout_amount_minor = part.claimed_minor, "
        "carried_amount_minor = entry.payout_amount_minor - part.claimed_minor "
        "from payout_proposal_parts as part where part.entry_id = entry.entry_id"
    )
    connection.execute("drop table payout_proposal_parts")
