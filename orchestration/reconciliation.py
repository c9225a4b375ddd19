"""Reconciliation before publishing: the same money counted in two places must tie (B6).

Each statement compares totals per currency or per key and returns what differs; sums only, no
arithmetic of commissions. What does not belong here: checks within one table (`check_suites`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from orchestration.result import CheckResult

if TYPE_CHECKING:
    import duckdb

KEYS_SHOWN = 20


@dataclass(frozen=True)
class Reconciliation:
    """differences: a query whose rows, first column the key, are what does not tie."""

    name: str
    relation: str
    differences: str
    description: str
    what_to_do: str


_REBUILD = "Run again; if it stays, run `partnerledger verify` before approving any batch."

RECONCILIATIONS = (
    Reconciliation(
        "entries_tie_to_journal",
        "marts.fct_commission_entries",
        """
        with journal as (
            select currency_code, payout_currency_code, count(*) as entries,
                sum(amount_minor) as amount_minor,
                sum(payout_amount_minor) as payout_amount_minor
            from raw.journal__entries group by all
        ),
        mart as (
            select currency_code, payout_currency_code, count(*) as entries,
                sum(amount_minor) as amount_minor,
                sum(payout_amount_minor) as payout_amount_minor
            from marts.fct_commission_entries group by all
        )
        select coalesce(journal.currency_code, mart.currency_code) as currency_code
        from journal
        full join mart using (currency_code, payout_currency_code)
        where journal.entries is distinct from mart.entries
            or journal.amount_minor is distinct from mart.amount_minor
            or journal.payout_amount_minor is distinct from mart.payout_amount_minor
        """,
        "the published entries are the registered journal, to the cent and per currency",
        _REBUILD,
    ),
    Reconciliation(
        "paid_lines_tie_to_landed_lines",
        "marts.fct_unpaid_lines",
        """
        with landed as (
            select invoices.currency_code, lines.invoice_line_id,
                lines.amount_minor - lines.discount_amount_minor as amount_minor
            from intermediate.int_billing__landed_lines as lines
            join intermediate.int_billing__landed_invoices as invoices using (source, invoice_id)
            where invoice_id in (select invoice_id from intermediate.int_billing__payments)
                and (source, invoice_id) not in (
                    select (source, invoice_id) from intermediate.int_billing__duplicate_invoices
                )
        ),
        earned as (
            select distinct source_id as invoice_line_id
            from intermediate.int_journal__computed
            where kind = 'earning' and source_type = 'invoice_line'
        ),
        accounted as (
            select landed.currency_code, landed.amount_minor from landed
            join earned using (invoice_line_id)
            union all
            select currency_code, amount_minor from marts.fct_unpaid_lines
        ),
        delivered as (
            select currency_code, count(*) as lines, sum(amount_minor) as amount_minor
            from landed group by all
        ),
        told as (
            select currency_code, count(*) as lines, sum(amount_minor) as amount_minor
            from accounted group by all
        )
        select coalesce(delivered.currency_code, told.currency_code) as currency_code
        from delivered
        full join told using (currency_code)
        where delivered.lines is distinct from told.lines
            or delivered.amount_minor is distinct from told.amount_minor
        """,
        "every paid line that was delivered is earned or unpaid for one reason, to the cent (B6)",
        _REBUILD,
    ),
    Reconciliation(
        "journal_ties_to_desired",
        "marts.fct_commission_lines",
        """
        with journal as (
            select commission_id, currency_code, payout_currency_code,
                sum(amount_minor) as amount_minor,
                sum(payout_amount_minor) as payout_amount_minor
            from raw.journal__entries
            where entry_kind not in ('payout', 'payout_return', 'write_off', 'withholding')
            group by all
        ),
        desired as (
            select commission_id, currency_code, payout_currency_code, amount_minor,
                payout_amount_minor
            from intermediate.int_journal__desired
        )
        select coalesce(journal.commission_id, desired.commission_id) as commission_id
        from journal
        full join desired using (commission_id, currency_code, payout_currency_code)
        where coalesce(journal.amount_minor, 0) <> coalesce(desired.amount_minor, 0)
            or coalesce(journal.payout_amount_minor, 0)
                <> coalesce(desired.payout_amount_minor, 0)
        """,
        "after posting, each key of the journal adds up to the desired amount (J2)",
        _REBUILD,
    ),
    Reconciliation(
        "balances_tie_to_journal",
        "marts.fct_partner_balances",
        """
        with journal as (
            select partner_id, payout_currency_code, sum(payout_amount_minor) as amount_minor
            from raw.journal__entries group by all
        ),
        balances as (
            select partner_id, payout_currency_code, sum(balance_amount_minor) as amount_minor
            from marts.fct_partner_balances group by all
        )
        select coalesce(journal.partner_id, balances.partner_id) as partner_id
        from journal
        full join balances using (partner_id, payout_currency_code)
        where coalesce(journal.amount_minor, 0) <> coalesce(balances.amount_minor, 0)
        """,
        "each partner's balance is the sum of that partner's journal entries",
        _REBUILD,
    ),
    Reconciliation(
        "batches_tie_to_items",
        "marts.fct_payout_batches",
        """
        with items as (
            select batch_id, count(*) as items, sum(amount_minor) as amount_minor
            from marts.fct_payout_items
            where left_out_reason is null and batch_id is not null
            group by all
        )
        select batches.batch_id
        from marts.fct_payout_batches as batches
        left join items using (batch_id)
        where batches.items is distinct from coalesce(items.items, 0)
            or batches.total_amount_minor is distinct from coalesce(items.amount_minor, 0)
        """,
        "each batch is the sum of its items",
        "Reject the batch with `partnerledger batches reject`, then run `partnerledger verify`.",
    ),
)


def reconcile(connection: duckdb.DuckDBPyConnection) -> list[CheckResult]:
    """Run every reconciliation on the working file; all of them block."""
    results = []
    for item in RECONCILIATIONS:
        rows = connection.execute(item.differences).fetchall()
        results.append(
            CheckResult(
                name=f"reconcile__{item.name}",
                relation=item.relation,
                is_passed=not rows,
                is_blocking=True,
                failing_rows=len(rows),
                failing_keys=tuple(str(row[0]) for row in rows[:KEYS_SHOWN]),
                description=item.description,
                what_to_do=item.what_to_do,
                query=item.differences,
            )
        )
    return results
