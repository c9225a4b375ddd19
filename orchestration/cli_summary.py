"""How a night is shown: one record for programs, tables for people."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from orchestration.cli_common import counted, money, out, print_table

if TYPE_CHECKING:
    from orchestration.result import NightResult

Summary = dict[str, list[dict[str, Any]]]


def night_record(result: NightResult) -> dict[str, Any]:
    """The night as plain values with stable keys; amounts are whole minor units."""
    return {
        "run_id": result.run_id,
        "as_of": result.as_of,
        "home": result.home,
        "rows_landed": sum(stream.rows_landed for stream in result.streams),
        "rows_rejected": result.rows_rejected,
        "stale_streams": [
            {
                "source": stream.source,
                "stream": stream.stream,
                "message": stream.message,
                "what_to_do": stream.what_to_do,
                "last_arrival": stream.last_arrival,
            }
            for stream in result.stale_streams
        ],
        "posted_entries": result.posted_rows,
        "posted_segment": result.posted_segment,
        "posted_totals": [vars(total) for total in result.posted_totals],
        "batches": [vars(batch) for batch in result.batches],
        "stale_batches": [
            {"batch_id": batch_id, "reason": reason} for batch_id, reason in result.stale_batches
        ],
        "checks_failed": [
            {"name": check.name, "message": check.describe()} for check in result.checks_failed
        ],
        "snapshot_path": result.snapshot_path,
        "seconds": {step: round(seconds, 2) for step, seconds in result.seconds.items()},
    }


def print_night(result: NightResult) -> None:
    """What came in, what was posted, what waits for people, what to look at."""
    console = out()
    console.print(f"Night {result.run_id}, as of {result.as_of}, state in {result.home}")
    landed = sum(stream.rows_landed for stream in result.streams)
    console.print(
        f"Landed {landed} rows from {len(result.streams)} streams, rejected {result.rows_rejected}."
    )
    for stream in result.streams:
        for reject in stream.rejects:
            console.print(f"  rejected: {stream.source}: {reject}")
    for stream in result.stale_streams:
        console.print(
            f"Warning: {stream.source}/{stream.stream} was not read tonight; what it landed before "
            f"still counts, no money depends on it: {stream.message.rstrip('.')}. "
            f"{stream.what_to_do}"
        )
    if result.posted_rows:
        console.print(f"Posted {result.posted_rows} entries as segment {result.posted_segment}:")
        for total in result.posted_totals:
            amount = money(total.payout_amount_minor, total.payout_currency_code)
            console.print(f"  {total.entry_kind:<14} {total.rows:>7} entries {amount:>22}")
    else:
        console.print("Posted nothing: the journal already holds everything.")
    for batch in result.batches:
        total = money(batch.total_amount_minor, batch.currency_code)
        console.print(
            f"Proposed batch {batch.batch_id}: {counted(batch.items, 'partner')}, {total}, pays on "
            f"{batch.pay_date}"
        )
    for batch_id, reason in result.stale_batches:
        console.print(f"Batch {batch_id} went stale: {reason}")
    for check in result.checks_failed:
        console.print(f"Warning: {check.describe()}")
    console.print(f"Published {result.snapshot_path}")
    _print_seconds(result)


def print_demo(result: NightResult, summary: Summary) -> None:
    """The whole story of the sample night, ending with where to look next."""
    from orchestration.night_summary import top_balances

    console = out()
    (snapshot,) = summary["snapshot"]
    console.print(f"{snapshot['programme_name']}: night {result.run_id}, as of {result.as_of}\n")
    _print_leads(summary)
    _print_entries(summary)
    print_table(
        "Balances (largest of each currency)",
        ("partner", "", "earned", "taken back", "on hold", "available", "in batch", "balance"),
        [
            (row["partner_id"], row["name"], *_amounts(row))
            for row in top_balances(summary["balances"])
        ],
        right=("earned", "taken back", "on hold", "available", "in batch", "balance"),
    )
    _print_batches(summary)
    print_table(
        "Exceptions, each with what to do in marts.fct_exceptions",
        ("kind", "severity", "count", "for example"),
        [
            (row["kind"], row["severity"], row["exceptions"], row["for_example"])
            for row in summary["exceptions"]
        ],
        right=("count",),
    )
    _print_seconds(result)
    if result.posted_rows:
        console.print(
            f"Posted {result.posted_rows} entries as segment {result.posted_segment}. "
            "Run the demo again: it posts nothing new."
        )
    else:
        console.print("Posted nothing new: the journal already holds everything.")
    _print_next(result, summary)


def _print_leads(summary: Summary) -> None:
    leads = ", ".join(f"{row['leads']} {row['verdict']}" for row in summary["leads"])
    out().print(f"Leads: {leads}")
    print_table(
        "Submissions by verdict",
        ("verdict", "submissions"),
        [(row["verdict"], row["submissions"]) for row in summary["submissions"]],
        right=("submissions",),
    )


def _print_entries(summary: Summary) -> None:
    print_table(
        "Earned and taken back, in the partners' payout currencies",
        ("kind", "entries", "amount"),
        [
            (row["entry_kind"], row["entries"], money(row["amount_minor"], row["currency_code"]))
            for row in summary["entries"]
        ],
        right=("entries", "amount"),
    )


def _print_batches(summary: Summary) -> None:
    for batch in summary["batches"]:
        total = money(batch["total_amount_minor"], batch["currency_code"])
        print_table(
            f"Batch {batch['batch_id']}: {batch['state']}, {counted(batch['items'], 'partner')}, "
            f"{total}, pays on {batch['pay_date']}",
            ("partner", "", "amount"),
            [
                (
                    item["partner_id"],
                    item["name"],
                    money(item["amount_minor"], item["currency_code"]),
                )
                for item in summary["items"]
                if item["batch_id"] == batch["batch_id"]
            ],
            right=("amount",),
        )
    print_table(
        "Left out, and why",
        ("partner", "", "net", "reason"),
        [
            (row["partner_id"], row["name"], money(row["amount_minor"], row["currency_code"]),
             row["left_out_reason"])
            for row in summary["left_out"]
        ],
        right=("net",),
    )  # fmt: skip


def _amounts(row: dict[str, Any]) -> list[str]:
    names = ("earned", "reversed", "on_hold", "available", "in_batch", "balance")
    return [money(row[f"{name}_amount_minor"], row["currency_code"]) for name in names]


def _print_seconds(result: NightResult) -> None:
    seconds = Counter(result.seconds)
    parts = ", ".join(f"{step} {spent:.1f}" for step, spent in result.seconds.items())
    out().print(f"Seconds: {sum(seconds.values()):.1f} ({parts})")


def _print_next(result: NightResult, summary: Summary) -> None:
    where = "" if str(result.home) == "var" else f" --home {result.home}"
    batch_id = summary["batches"][0]["batch_id"] if summary["batches"] else "BATCH"
    partner_id = summary["balances"][0]["partner_id"] if summary["balances"] else "PARTNER"
    entry_id = summary["taken_back"][0]["entry_id"] if summary["taken_back"] else "ENTRY"
    command = ".venv/bin/partnerledger"
    console = out()
    console.print("\nWhere to look next:")
    for arguments, meaning in (
        (f"batches show {batch_id}", "what finance is asked to pay, and its hash"),
        (f"balance {partner_id}", "one partner's money, entry by entry"),
        (f"explain {entry_id}", "the whole chain behind one take-back"),
        ("lead list --verdict pending", "leads that are not valid yet"),
        ("verify", "prove hashes, chains and sums"),
    ):
        console.print(f"  # {meaning}\n  {command} {arguments}{where}")
    console.print("  # assets and checks in Dagster\n  make dev")
