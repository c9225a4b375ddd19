"""The evidence of one batch in one file: who decided what on which content, and what became of it.

What belongs here: which facts are in a pack. What does not: the container (``pack_file``) and
holding a pack against itself (``pack_checks``).
Source: payouts reference 3.2; I24. Decision 0055.

Partners stand in it by id alone. Payout files are named by their hash and never packed: they hold
accounts. The same state of a home gives the same bytes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, select

from payouts import events
from payouts.claims import batch_folder, check_claims, claims_path
from payouts.delegation import PREFIX as DELEGATION_PREFIX
from payouts.findings import Finding
from payouts.hashing import parse_instant, sha256_bytes
from payouts.matching import match_batch
from payouts.outcomes import item_states
from payouts.pack_file import json_member, pack
from payouts.records import BatchDetail, load_content, show, subject
from payouts.schema import (
    events as event_table,
)
from payouts.schema import (
    export_files,
    exports,
    payout_outcomes,
    proposals,
    settlement_files,
)
from payouts.states import EXPORTED_STATES
from payouts.store import Store

PACK_NAME = "evidence.zip"
TERMS_NAME = "program.yml"
_EVENT_COLUMNS = (
    "seq", "kind", "subject", "actor", "identity_level", "payload", "reason", "recorded_at",
    "hash_version", "previous_hash", "hash",
)  # fmt: skip


@dataclass(frozen=True)
class TermsAtHand:
    """The terms as the caller has them now; they are packed when they are those of the batch.

    content: the bytes of program.yml. roles: people by role. gates: of payouts.gates, in order.
    """

    terms_hash: str
    content: bytes
    roles: Mapping[str, Sequence[str]]
    gates: Sequence[str]


def pack_path(home: Path, batch_id: str) -> Path:
    """Where a batch's pack lies unless another place is named. Raises: UnsafePathError."""
    return batch_folder(home, batch_id) / PACK_NAME


def evidence_pack(
    store: Store, home: Path, batch_id: str, *, terms: TermsAtHand, findings: Iterable[Finding]
) -> bytes:
    """The pack of a batch in any state.

    findings: what ``verify`` found in this home just now.
    Raises: BatchNotFoundError; ChainBrokenError when the batch is not what its events and claims
    prove: evidence that contradicts itself is not packed.
    """
    with store.read() as connection:
        detail = show(connection, batch_id)
        content = load_content(connection, batch_id)
        check_claims(home, content)
        is_known = terms.terms_hash == content.terms_hash
        exported = _export(connection, batch_id)
        members = {
            "manifest.json": json_member(_manifest(detail, content, terms.gates, is_known)),
            "approvals.json": json_member(_approvals(connection, detail)),
            "events.jsonl": _event_lines(connection, subject(batch_id)),
            "audit_chain.json": json_member(_chain(connection)),
            "claims.parquet": claims_path(home, batch_id).read_bytes(),
            "left_out.json": json_member(_left_out(connection, detail)),
            "terms.json": json_member(_terms(content.terms_hash, terms, is_known)),
            "access.json": json_member(_access(terms, is_known)),
            "checks.json": json_member([asdict(each) for each in findings]),
            "export.json": json_member(exported),
            "settlement.json": json_member(_settlement(connection, home, detail)),
        }
        if exported is not None:
            members["export_manifest.json"] = _export_manifest(connection, batch_id)
    if is_known:
        members[TERMS_NAME] = terms.content
    return pack(batch_id, members)


def _manifest(
    detail: BatchDetail, content: Any, gates: Sequence[str], is_known: bool
) -> dict[str, Any]:
    """What people approved, without the names of partners, which its hash covers too."""
    facts = {name: value for name, value in vars(content).items() if name != "items"}
    return {
        **facts,
        "exceptions": [vars(each) for each in content.exceptions],
        "content_hash": detail.state.content_hash,
        "state": detail.state.state,
        "maker": detail.state.maker,
        "total_amount_minor": content.total_amount_minor,
        "payouts": len(content.items),
        "entries": sum(item.entries for item in content.items),
        "items": [
            {name: value for name, value in vars(item).items() if name != "partner_name"}
            for item in content.items
        ],
        "gates": _gates(detail, gates, is_known),
    }


def _gates(detail: BatchDetail, gates: Sequence[str], is_known: bool) -> dict[str, Any]:
    """Who passes every gate is in the batch, who fails is left out with the first reason.

    The export checks all of them again, and a batch with one partner who fails goes stale there.
    """
    exported = [event.seq for event in detail.events if event.kind == "batch_exported"]
    passed = len(detail.items)
    return {
        "names": list(gates) if is_known else None,
        "at_proposal": {
            "passed": passed,
            "left_out": dict(Counter(left.reason for left in detail.left_out)),
        },
        "at_export": {"passed": passed, "event": exported[0]} if exported else None,
    }


def _approvals(connection: Connection, detail: BatchDetail) -> dict[str, Any]:
    """Every approval ever given, with signature and delegation; those that count are named."""
    given = [
        {
            **event.payload,
            "actor": event.actor,
            "identity_level": event.identity_level,
            "recorded_at": event.recorded_at,
            "event": event.seq,
            "event_hash": event.hash,
        }
        for event in detail.events
        if event.kind == "batch_approved"
    ]
    named = sorted({each["delegation_id"] for each in given if each.get("delegation_id")})
    return {
        "maker": detail.state.maker,
        "content_hash": detail.state.content_hash,
        "round": detail.state.approval_round,
        "counting_events": [approval.seq for approval in detail.state.approvals],
        "given": given,
        "delegations": {
            delegation_id: _rows(connection, f"{DELEGATION_PREFIX}{delegation_id}")
            for delegation_id in named
        },
    }


def _event_lines(connection: Connection, named: str) -> bytes:
    """Events of a subject, one JSON record a line, whole: each hash can be computed again."""
    return b"".join(json_member(row) for row in _rows(connection, named))


def _rows(connection: Connection, named: str) -> list[dict[str, Any]]:
    rows = connection.execute(
        select(event_table).where(event_table.c.subject == named).order_by(event_table.c.seq)
    ).mappings()
    return [{name: row[name] for name in _EVENT_COLUMNS} for row in rows]


def _chain(connection: Connection) -> dict[str, Any]:
    head = events.check_chain(connection)
    return {"event": head.seq, "hash": head.hash}


def _left_out(connection: Connection, detail: BatchDetail) -> dict[str, Any]:
    row = connection.execute(
        select(proposals.c.proposal_id, proposals.c.left_out_hash).where(
            proposals.c.batch_id == detail.summary.batch_id
        )
    ).one()
    return {
        "proposal_id": row.proposal_id,
        "left_out_hash": row.left_out_hash,
        "partners": [vars(left) for left in detail.left_out],
    }


def _terms(terms_hash: str, terms: TermsAtHand, is_known: bool) -> dict[str, Any]:
    if not is_known:
        return {
            "terms_hash": terms_hash,
            "file": None,
            "note": "the terms have changed since; find the version with this hash in your "
            "version control",
        }
    return {
        "terms_hash": terms_hash,
        "file": {"name": TERMS_NAME, "sha256": sha256_bytes(terms.content)},
        "note": "the terms as used; their hash covers sources.yml too",
    }


def _access(terms: TermsAtHand, is_known: bool) -> dict[str, Any]:
    if not is_known:
        return {"roles": None, "note": "the terms have changed since; see terms.json"}
    return {
        "roles": {role: sorted(people) for role, people in sorted(terms.roles.items())},
        "note": "people by role, as program.yml had it for this batch",
    }


def _export(connection: Connection, batch_id: str) -> dict[str, Any] | None:
    """What was exported: hashes, sizes and totals of the files, None before the export."""
    row = connection.execute(select(exports).where(exports.c.batch_id == batch_id)).first()
    if row is None:
        return None
    files = connection.execute(
        select(export_files)
        .where(export_files.c.batch_id == batch_id)
        .order_by(export_files.c.part)
    ).mappings()
    return {
        "exported_at": row.exported_at,
        "content_hash": row.content_hash,
        "segment": row.segment,
        "manifest_sha256": row.manifest_sha256,
        "files": [
            {name: value for name, value in file.items() if name != "batch_id"} for file in files
        ],
    }


def _export_manifest(connection: Connection, batch_id: str) -> bytes:
    text = connection.execute(select(exports.c.manifest).where(exports.c.batch_id == batch_id))
    return text.scalar_one().encode("utf-8")


def _settlement(connection: Connection, home: Path, detail: BatchDetail) -> dict[str, Any]:
    """Outcomes in the order in which they were read, their files by hash, and the match."""
    batch_id = detail.summary.batch_id
    rows = connection.execute(
        select(payout_outcomes)
        .where(payout_outcomes.c.batch_id == batch_id)
        .order_by(payout_outcomes.c.seq, payout_outcomes.c.number)
    ).mappings()
    outcomes = [dict(row) for row in rows]
    is_out = detail.state.state in EXPORTED_STATES
    states = item_states(connection, batch_id) if is_out else {}
    return {
        "states": {payout_id: state.state for payout_id, state in sorted(states.items())},
        "outcomes": outcomes,
        "files": _settlement_files(connection, {row["settlement_id"] for row in outcomes}),
        "match": _match(connection, home, batch_id) if is_out else None,
    }


def _settlement_files(connection: Connection, named: set[str | None]) -> list[dict[str, Any]]:
    """Files that named this batch, without their names: banks put account numbers there."""
    rows = connection.execute(
        select(settlement_files)
        .where(settlement_files.c.settlement_id.in_(sorted(filter(None, named))))
        .order_by(settlement_files.c.seq)
    ).mappings()
    return [{name: value for name, value in row.items() if name != "file_name"} for row in rows]


def _match(connection: Connection, home: Path, batch_id: str) -> dict[str, Any]:
    """Earned against ordered against bank, open payouts aged to the day of the last event."""
    found = match_batch(connection, home, batch_id, _last_day(connection))
    return {**asdict(found), "is_matched": found.is_matched}


def _last_day(connection: Connection) -> date:
    newest = select(event_table.c.recorded_at).order_by(event_table.c.seq.desc()).limit(1)
    return parse_instant(connection.execute(newest).scalar_one()).date()
