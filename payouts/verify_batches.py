"""Proof that batches, claims, exports and payout entries agree with each other.

What belongs here: checks on batches. What does not: the journal itself (``verify``).
Source: payouts reference 4.3: I4–I8, I16, I18.
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import select

from payouts import events
from payouts.claims import check_claims, claims_path
from payouts.errors import PayoutsError
from payouts.files import csv_file
from payouts.findings import Check, Evidence, Finding
from payouts.hashing import sha256_file, sha256_text
from payouts.parquet import parquet_scan
from payouts.payout_entries import ENTRY_KIND
from payouts.records import content_hash, list_batches, load_content, load_state
from payouts.schema import batch_states, batches, exports
from payouts.states import CLAIMING_STATES, EXPORTED
from payouts.terms import ROLES, person


def _finding(check: str, faults: list[str], proved: str) -> Finding:
    return Finding(check, not faults, "; ".join(faults) if faults else proved)


def _batch_states(evidence: Evidence) -> Iterator[Finding]:
    """Stored states follow from events; every proposed batch is still there."""
    faults = []
    proposed = {
        event.subject.removeprefix("batch:"): event.payload
        for event in events.of_kinds(evidence.control, ("batch_proposed",))
    }
    stored = {row.batch_id: row for row in evidence.control.execute(select(batches))}
    projected = {row.batch_id for row in evidence.control.execute(select(batch_states))}
    if not proposed.keys() == stored.keys() == projected:
        faults.append("batches and their events are not the same set")
    for batch_id, payload in proposed.items():
        row = stored.get(batch_id)
        if row is not None and any(payload[name] != getattr(row, name) for name in payload):
            faults.append(f"batch {batch_id} is not what its first event says")
        try:
            load_state(evidence.control, batch_id)
        except PayoutsError as error:
            faults.append(str(error))
    yield _finding("batch_states", faults, f"{len(stored)} batches follow from their events")


def _batch_contents(evidence: Evidence) -> Iterator[Finding]:
    """I6, I7, I16: total = items = claims, and the hash is the proposed one."""
    faults = []
    summaries = list_batches(evidence.control)
    for summary in summaries:
        content = load_content(evidence.control, summary.batch_id)
        if content_hash(content) != summary.content_hash:
            faults.append(f"the content of batch {summary.batch_id} does not have its hash")
        if (content.total_amount_minor, len(content.items)) != (
            summary.total_amount_minor,
            summary.items,
        ):
            faults.append(f"batch {summary.batch_id} does not add up to its items")
        if any(item.amount_minor <= 0 for item in content.items):
            faults.append(f"batch {summary.batch_id} has an item that is not positive")
        try:
            check_claims(evidence.home, content)
        except PayoutsError as error:
            faults.append(str(error))
    yield _finding("batch_contents", faults, f"{len(summaries)} batches: total = items = claims")


def _claims(evidence: Evidence) -> Iterator[Finding]:
    """I4, and every claimed entry is in the journal with the same partner and amount."""
    claiming = list_batches(evidence.control, CLAIMING_STATES)
    paths = [claims_path(evidence.home, summary.batch_id) for summary in claiming]
    paths = [path for path in paths if path.is_file()]
    if not paths:
        yield _finding("claims", [], "no claims")
        return
    scan = parquet_scan(paths)
    twice, rows = evidence.reader.execute(
        f"select count(*) - count(distinct entry_id), count(*) from {scan}"
    ).fetchone()
    faults = [f"{twice} entries are claimed by two batches"] if twice else []
    entries = evidence.segment_paths
    known = (
        f"select entry_id, partner_id, payout_amount_minor, payout_currency_code, available_date "
        f"from {parquet_scan(entries)}"
        if entries
        else "select null as entry_id, null as partner_id, null as payout_amount_minor, "
        "null as payout_currency_code, null as available_date where false"
    )
    unknown = evidence.reader.execute(
        "select count(*) from (select entry_id, partner_id, payout_amount_minor, "
        f"payout_currency_code, available_date from {scan} except {known})"
    ).fetchone()[0]
    if unknown:
        faults.append(f"{unknown} claimed entries are not in the journal as claimed")
    yield _finding("claims", faults, f"{rows} entries claimed once, all in the journal")


def _approvals(evidence: Evidence) -> Iterator[Finding]:
    """I8: every exported batch has distinct approvers of both roles, none its maker."""
    faults = []
    exported = list_batches(evidence.control, (EXPORTED,))
    for summary in exported:
        state = load_state(evidence.control, summary.batch_id)
        approvers = [approval.actor for approval in state.approvals]
        roles = {approval.role for approval in state.approvals}
        if (
            len(set(approvers)) != len(approvers)
            or person(state.maker) in approvers
            or roles != set(ROLES)
            or any(approval.content_hash != state.content_hash for approval in state.approvals)
        ):
            faults.append(f"batch {summary.batch_id} was exported without four eyes on its hash")
    yield _finding("approvals", faults, f"{len(exported)} exported batches, four eyes each")


def _exports(evidence: Evidence) -> Iterator[Finding]:
    """I7, I18: file, manifest and register agree, and the file would be written again equally."""
    faults = []
    rows = evidence.control.execute(select(exports).order_by(exports.c.batch_id)).all()
    exported = {summary.batch_id for summary in list_batches(evidence.control, (EXPORTED,))}
    if exported != {row.batch_id for row in rows}:
        faults.append("exported batches and registered files are not the same set")
    for row in rows:
        content = load_content(evidence.control, row.batch_id)
        path = evidence.home / row.file_path
        if sha256_text(row.manifest) != row.manifest_sha256:
            faults.append(f"the registered manifest of {row.batch_id} was changed")
        if row.content_hash != content_hash(content):
            faults.append(f"{row.batch_id} was exported with another content hash")
        if sha256_text(csv_file.render(content).decode("utf-8")) != row.file_sha256:
            faults.append(f"{row.batch_id} would now give another file than was exported")
        if path.is_file() and sha256_file(path) != row.file_sha256:
            faults.append(f"{row.file_path} differs from what was exported; do not upload it")
    present = sum((evidence.home / row.file_path).is_file() for row in rows)
    yield _finding("exports", faults, f"{len(rows)} exports, {present} files present and unchanged")


def _payout_entries(evidence: Evidence) -> Iterator[Finding]:
    """I5, I6: the journal's payout entries are exactly the items of exported batches, negated."""
    wanted = sorted(
        (item.payout_id, item.partner_id, content.batch_id, -item.amount_minor,
         content.currency_code)
        for summary in list_batches(evidence.control, (EXPORTED,))
        for content in (load_content(evidence.control, summary.batch_id),)
        for item in content.items
    )  # fmt: skip
    paths = evidence.segment_paths
    posted = (
        evidence.reader.execute(
            "select source_id, partner_id, cause_id, payout_amount_minor, payout_currency_code "
            f"from {parquet_scan(paths)} where entry_kind = '{ENTRY_KIND}' order by all"
        ).fetchall()
        if paths
        else []
    )
    faults = [] if posted == wanted else ["payout entries are not the items of exported batches"]
    yield _finding("payout_entries", faults, f"{len(posted)} payout entries, one per exported item")


BATCH_CHECKS: tuple[Check, ...] = (
    _batch_states,
    _batch_contents,
    _claims,
    _approvals,
    _exports,
    _payout_entries,
)
