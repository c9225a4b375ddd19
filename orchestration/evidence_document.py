"""Evidence as a document: one fact per line, what was found first, causes after it.

What belongs here: which facts stand in which order, in words. What does not: finding them
(`evidence`, `evidence_home`), printing and pages (`documents`, `document_pages`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from orchestration.cli_common import minute, money
from orchestration.documents import Block, Document, Facts, Sentence, Sentences, Table
from orchestration.evidence_terms import terms_sentences, terms_title
from orchestration.evidence_words import (
    check_text,
    fault_text,
    part_text,
    steps,
    summary_text,
)
from orchestration.lead_timeline import percent, why_lost
from orchestration.recompute import DIFFERS

Record = dict[str, Any]

_HIDDEN = ("explanation", "recomputed")
_DIFFERENT_SHOWN = 50


def evidence_document(evidence: Record) -> Document:
    """The document of what `evidence.explain` and `evidence_home.with_home` found."""
    name = evidence["reference_type"].replace("_", " ")
    document = Document(f"{name} {evidence['reference']}")
    if evidence.get("entry"):
        document.add(*_entry(evidence["entry"]))
    else:
        document.add(*recomputation_blocks(evidence.get("recomputation")))
    for title in ("batch", "payout"):
        if evidence.get(title):
            document.add(facts(title.capitalize(), evidence[title]))
    document.add(_balances(evidence.get("balances") or []))
    document.add(_payouts(evidence.get("payouts") or []))
    for title in ("entries", "reverses", "reversed_by"):
        document.add(entries_table(title.replace("_", " ").capitalize(), evidence.get(title) or []))
    document.add(lines_table("Earned and taken back", evidence.get("lines") or []))
    document.add(*_unpaid(evidence.get("unpaid_lines") or []))
    if evidence.get("line"):
        document.add(facts("Line", evidence["line"]))
    document.add(lines_table("A share of", evidence.get("shared_line") or []))
    document.add(*_entry_steps(evidence.get("entries") or [], evidence["reference_type"]))
    if evidence.get("timeline"):
        document.add(_timeline(evidence["timeline"]))
    if evidence.get("lead"):
        document.add(facts("Lead", evidence["lead"]))
    document.add(_winners(evidence.get("winners") or []))
    document.add(_attributions(evidence.get("attributions") or []))
    document.add(_candidates(evidence.get("candidates") or []))
    if evidence.get("terms"):
        document.add(
            Sentences(
                f"Terms: {terms_title(evidence['terms'])}", terms_sentences(evidence["terms"])
            )
        )
    for row in evidence.get("adjustments") or []:
        document.add(facts(f"Adjustment {row['adjustment_id']}", row))
    document.add(*_sources(evidence.get("sources")))
    document.add(_claims(evidence.get("claims") or []))
    document.add(*_segments(evidence.get("segments") or []))
    document.add(*_batches(evidence.get("batches") or []))
    return document


def facts(title: str, record: Record) -> Facts:
    """A record as it is: names in words, amounts with their currency."""
    rows = []
    for name, value in record.items():
        if name in _HIDDEN or (name.endswith("currency_code") and title != "Batch"):
            continue
        if name.endswith("amount_minor"):
            value = money(value, _currency_of(name, record))
        rows.append((name.removesuffix("_minor").replace("_", " "), value))
    return Facts(title, rows)


def entries_table(title: str, entries: Iterable[Record]) -> Table:
    """Journal entries, one a row."""
    return Table(
        title,
        ("effective", "kind", "for", "because of", "amount", "recomputed", "entry"),
        [
            (row["effective_date"], row["entry_kind"], f"{row['source_type']} {row['source_id']}",
             f"{row['cause_type']} {row['cause_id']}",
             money(row["payout_amount_minor"], row["payout_currency_code"]), _result(row),
             row["entry_id"])
            for row in entries
        ],
        right=("amount",),
        whole=("entry",),
    )  # fmt: skip


def lines_table(title: str, lines: Iterable[Record]) -> Table:
    """Commission lines: what was earned, and what was taken back for which cause."""
    return Table(
        title,
        ("effective", "kind", "for", "because of", "rate", "amount", "status", "commission"),
        [
            (row["effective_date"], row["kind"], f"{row['source_type']} {row['source_id']}",
             f"{row['cause_type']} {row['cause_id']}", row["rate"],
             money(row["amount_minor"], row["currency_code"]), row["status"], row["commission_id"])
            for row in lines
        ],
        right=("rate", "amount"),
        whole=("commission",),
    )  # fmt: skip


def _currency_of(name: str, record: Record) -> str | None:
    if name.startswith("payout_"):
        return record.get("payout_currency_code")
    return record.get("currency_code") or record.get("payout_currency_code")


def _result(row: Record) -> str:
    found = row.get("recomputed")
    result = found["result"] if isinstance(found, dict) else found
    return (result or "").replace("_", " ")


def _entry(entry: Record) -> Iterator[Block]:
    check = entry["recomputed"]
    yield Sentence(check_text(check), check["result"] == DIFFERS)
    if part_text(entry):
        yield Sentence(part_text(entry))
    yield _steps("How it was computed", entry)
    yield facts("Entry", entry)


def _steps(title: str, entry: Record) -> Facts:
    explanation = entry["explanation"] or {}
    return Facts(title, steps(explanation, entry["currency_code"], entry["payout_currency_code"]))


def _entry_steps(entries: list[Record], reference_type: str) -> Iterator[Block]:
    """How each entry of one amount came about; a payout has too many of them."""
    if reference_type not in ("commission", "invoice_line", "invoice"):
        return
    for entry in entries:
        yield _steps(f"How entry {entry['entry_id']} was computed", entry)
        check = entry["recomputed"]
        yield Sentence(check_text(check), check["result"] == DIFFERS)


def recomputation_blocks(summary: Record | None) -> Iterator[Block]:
    """What recomputing several entries found: counts, those that differ, sums."""
    if summary is None or not summary["entries"]:
        return
    yield Sentence(summary_text(summary), bool(summary["differs"]))
    different = summary["different"]
    if different:
        more = len(different) - _DIFFERENT_SHOWN
        yield Table(
            "Entries that differ" + (f" ({more} more)" if more > 0 else ""),
            ("entry", "recomputed", "recorded", "posted", "why"),
            [
                (row["entry_id"], money(row["amount_minor"], row["currency_code"]),
                 money(row["desired_amount_minor"], row["currency_code"]),
                 money(row["sum_amount_minor"], row["currency_code"]),
                 "; ".join(fault_text(fault) for fault in row["faults"]))
                for row in different[:_DIFFERENT_SHOWN]
            ],
            right=("recomputed", "recorded", "posted"),
            whole=("entry",),
        )  # fmt: skip
    for row in summary["sums"]:
        currency = row["payout_currency_code"]
        total = money(row["payout_amount_minor"], currency)
        if row["recorded_amount_minor"] is None:
            yield Sentence(f"its entries add up to {total}")
        elif row["is_equal"]:
            yield Sentence(f"its entries add up to {total}, as shown")
        else:
            recorded = money(row["recorded_amount_minor"], currency)
            yield Sentence(f"its entries add up to {total}, but {recorded} is shown", True)


def _balances(balances: list[Record]) -> Table | None:
    if not balances:
        return None
    names = [name for name in balances[0] if name.endswith("_amount_minor")]
    return Table(
        "Balances",
        ("currency", *(name.removesuffix("_amount_minor").replace("_", " ") for name in names)),
        [
            (row["payout_currency_code"],
             *(money(row[name], row["payout_currency_code"]) for name in names))
            for row in balances
        ],
        right=[name.removesuffix("_amount_minor").replace("_", " ") for name in names],
    )  # fmt: skip


def _payouts(payouts: list[Record]) -> Table:
    return Table(
        "Payouts",
        ("partner", "", "amount", "entries", "payout"),
        [
            (row["partner_id"], row["name"], money(row["amount_minor"], row["currency_code"]),
             row["entries"], row["payout_id"])
            for row in payouts
        ],
        right=("amount", "entries"),
        whole=("payout",),
    )  # fmt: skip


def _unpaid(rows: list[Record]) -> Iterator[Block]:
    for row in rows:
        amount = money(row["amount_minor"], row["currency_code"])
        yield Sentence(f"Not earned: {row['invoice_line_id']} {amount}: {row['reason']}")


def _timeline(events: list[Record]) -> Table:
    return Table(
        "Timeline",
        ("at (UTC)", "partner", "what happened", "record"),
        [(minute(row["at"]), row["partner_id"], row["text"], row["record"]) for row in events],
    )


def _winners(rows: list[Record]) -> Table:
    return Table(
        "What decided who brought it",
        ("at (UTC)", "partner", "touch", "rule", "record"),
        [
            (minute(row["occurred_at"]), row["partner_id"], row["touch_type"].replace("_", " "),
             row["rule"], row["touchpoint_id"])
            for row in rows
        ],
    )  # fmt: skip


def _attributions(rows: list[Record]) -> Table:
    return Table(
        "Credited",
        ("partner", "share", "model", "", "touch", "decided by"),
        [
            (row["partner_id"], percent(row["credit_ppm"]), row["model"].replace("_", " "),
             "pays" if row["is_paying"] else "compared only", row["touchpoint_id"],
             row.get("decided_by"))
            for row in rows
        ],
        right=("share",),
    )  # fmt: skip


def _candidates(rows: list[Record]) -> Table:
    return Table(
        "Not credited",
        ("at (UTC)", "partner", "touch", "why", "record"),
        [
            (minute(row["occurred_at"]), row["partner_id"], row["touch_type"].replace("_", " "),
             why_lost(row), row["touchpoint_id"])
            for row in rows
            if not row["is_winner"]
        ],
    )  # fmt: skip


def _sources(rows: list[Record] | None) -> Iterator[Block]:
    if rows is None:
        return
    if not rows:
        yield Sentence("none of its source records is in the landing of this home")
    yield Table(
        "Source records",
        ("record", "id", "received in", "file or part", "line", "place", "sha256"),
        [
            (row["record_type"].replace("_", " "), row["record_id"], row["landing_id"],
             row["file"] or row["part"], row["line"], row["place"], row["sha256"])
            for row in rows
        ],
        right=("line", "place"),
        whole=("sha256",),
    )  # fmt: skip
    yield Table(
        "What they say",
        ("record", "id", "bytes", ""),
        [
            (row["record_type"].replace("_", " "), row["record_id"], row["state"], _said(row))
            for row in rows
        ],
    )
    changed = [row for row in rows if row["state"] in ("changed", "missing")]
    for row in changed:
        yield Sentence(
            f"the bytes of {row['record_type']} {row['record_id']} are {row['state']}", True
        )


def _said(row: Record) -> str:
    """What a version said; only the newest one counts."""
    values = ", ".join(f"{name} {value}" for name, value in row["values"].items())
    text = "was missing from a full list" if row["is_tombstone"] else values
    return text if row["is_newest"] else f"(older) {text}"


def _claims(rows: list[Record]) -> Table:
    return Table(
        "Claimed by",
        ("entry", "batch", "state", "payout", "pays on"),
        [
            (row["entry_id"], row["batch_id"], row["state"], row["payout_id"], row["pay_date"])
            for row in rows
        ],
    )


def _segments(rows: list[Record]) -> Iterator[Block]:
    for row in rows:
        yield Facts(f"Journal segment {row['segment']}", list(row.items()))
        if row["state"] != "as recorded":
            yield Sentence(f"the file of segment {row['segment']} is {row['state']}", True)


def _batches(rows: list[Record]) -> Iterator[Block]:
    for row in rows:
        approvals = [
            f"{each['actor']} for {each['role']} at {each['recorded_at']}"
            for each in row["approvals"]
        ]
        export = row["export"] or {}
        yield Facts(
            f"Batch {row['batch_id']}",
            [
                ("state", row["state"]),
                ("pays", money(row["total_amount_minor"], row["currency_code"])),
                ("on", row["pay_date"]),
                ("by", row["rail"]),
                ("content hash", row["content_hash"]),
                ("proposed by", row["maker"]),
                ("approved by", approvals),
                ("exported", export.get("exported_at")),
                ("file", export.get("file_path")),
                ("sha256 of the file", export.get("file_sha256")),
                ("posted in segment", export.get("segment")),
            ],
        )
