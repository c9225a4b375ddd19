"""What a home knows beside its snapshot: segments, batches, and the bytes that were received (B1).

What belongs here: which of them an amount rests on. What does not: reading the landing itself
(`evidence_sources`) and the snapshot (`evidence`). A copied snapshot has none of it: then a section
is None.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestration.cli_common import CommandError
from orchestration.evidence_sources import Wanted, landed_records, wanted_by_touch
from orchestration.lead_control import control_reader

if TYPE_CHECKING:
    from sqlalchemy import Connection

Record = dict[str, Any]

_AMOUNT_TYPES = ("entry", "commission", "invoice_line", "invoice")
_SEGMENT_KEYS = (
    "segment", "path", "rows", "sha256", "hash", "previous_hash", "origin", "origin_id",
    "recorded_at", "registered_at",
)  # fmt: skip


def with_home(evidence: Record, home: Path) -> Record:
    """The evidence of `evidence.explain` with what the home adds.

    Adds the `adjustments` that people decided, `segments` that hold its entries, `batches` that
    claim them with approvals and export, and for a single amount `sources`: every landed version
    of the records that it rests on.
    """
    if evidence["reference_type"] not in (*_AMOUNT_TYPES, "payout", "batch"):
        return evidence
    entries = _entries(evidence)
    adjusted = {entry["source_id"] for entry in entries if entry.get("source_type") == "adjustment"}
    added: Record = {"segments": None, "batches": None, "adjustments": None}
    with control_reader(home) as connection:
        if connection is not None:
            numbers = {entry["segment"] for entry in entries if entry.get("segment")}
            added = {
                "segments": _segments(connection, home, numbers),
                "batches": _batches(connection, _batch_ids(evidence)),
                "adjustments": _adjustments(connection, adjusted),
            }
    if evidence["reference_type"] in _AMOUNT_TYPES:
        # What people decided was never landed.
        has_landing = (home / "landing").is_dir() and not adjusted
        added["sources"] = landed_records(home, _wanted(evidence)) if has_landing else None
    return {**evidence, **added}


def require_intact(evidence: Record) -> None:
    """Raises: CommandError when bytes of the landing or the journal are not what was recorded."""
    files = [
        *((row["landing_id"], row["state"]) for row in evidence.get("sources") or []),
        *((row["path"], row["state"]) for row in evidence.get("segments") or []),
    ]
    damaged = [(name, state) for name, state in files if state in ("changed", "missing")]
    if damaged:
        name, state = damaged[0]
        raise CommandError(
            f"the evidence is damaged: {name} is {state}",
            "Restore it from a backup and run `partnerledger verify`.",
        )


def _entries(evidence: Record) -> list[Record]:
    own = [evidence["entry"]] if evidence.get("entry") else []
    return [*own, *(evidence.get("entries") or [])]


def _batch_ids(evidence: Record) -> list[str]:
    claimed = {row["batch_id"] for row in evidence.get("claims") or []}
    if evidence.get("batch"):
        claimed.add(evidence["batch"]["batch_id"])
    return sorted(claimed)


def _adjustments(connection: Connection, adjustment_ids: set[str]) -> list[Record]:
    """Who proposed and approved them, why, and on what evidence (decision 0042)."""
    from payouts.adjustments import load_adjustments

    if not adjustment_ids:
        return []
    return [
        {name: value for name, value in vars(each).items() if name != "arrival"}
        for each in load_adjustments(connection)
        if each.adjustment_id in adjustment_ids
    ]


def _segments(connection: Connection, home: Path, numbers: set[int]) -> list[Record]:
    """Registered journal files, each with whether it is still what was registered."""
    from payouts import segments

    return [
        {
            **{name: getattr(row, name) for name in _SEGMENT_KEYS},
            "state": _file_state(home / row.path, row.sha256),
        }
        for row in segments.records(connection)
        if row.segment in numbers
    ]


def _file_state(path: Path, sha256: str) -> str:
    from payouts.hashing import sha256_file

    if not path.is_file():
        return "missing"
    return "as recorded" if sha256_file(path) == sha256 else "changed"


def _batches(connection: Connection, batch_ids: Iterable[str]) -> list[Record]:
    """Batches as they stand now, with who approved them and what was exported."""
    from sqlalchemy import select

    from payouts.errors import BatchNotFoundError
    from payouts.records import show
    from payouts.schema import exports

    rows = []
    for batch_id in batch_ids:
        try:
            detail = show(connection, batch_id)
        except BatchNotFoundError:
            continue
        export = connection.execute(select(exports).where(exports.c.batch_id == batch_id)).first()
        rows.append(
            {
                **vars(detail.summary),
                "maker": detail.state.maker,
                "approvals": [
                    {
                        "actor": each.actor,
                        "role": each.role,
                        "recorded_at": each.recorded_at,
                        "content_hash": each.content_hash,
                    }
                    for each in detail.state.approvals
                ],
                "export": {
                    "file_path": export.file_path,
                    "file_sha256": export.file_sha256,
                    "manifest_sha256": export.manifest_sha256,
                    "segment": export.segment,
                    "exported_at": export.exported_at,
                }
                if export
                else None,
            }
        )
    return rows


def _wanted(evidence: Record) -> Iterator[Wanted]:
    """The records of the sources that an amount rests on."""
    rows = [*_entries(evidence), *(evidence.get("lines") or []), *_lines(evidence)]
    for row in rows:
        for type_name, id_name in (("source_type", "source_id"), ("cause_type", "cause_id")):
            if row.get(id_name):
                yield Wanted(row[type_name], row[id_name])
    for invoice_id in _invoice_ids(evidence, rows):
        yield Wanted("invoice", invoice_id, by_invoice=True)
    for row in evidence.get("unpaid_lines") or []:
        yield Wanted("invoice_line", row["invoice_line_id"])
    for row in evidence.get("winners") or []:
        touch = wanted_by_touch(row["touchpoint_id"])
        if touch is not None:
            yield touch


def _lines(evidence: Record) -> list[Record]:
    own = [evidence["line"]] if evidence.get("line") else []
    return [*own, *(evidence.get("shared_line") or [])]


def _invoice_ids(evidence: Record, rows: Iterable[Record]) -> list[str]:
    found = {row.get("invoice_id") for row in [*rows, *(evidence.get("unpaid_lines") or [])]}
    found |= {(entry.get("explanation") or {}).get("invoice_id") for entry in _entries(evidence)}
    return sorted(filter(None, found))
