"""Proof of what a proposal recorded beside the batch: versions used, cut-offs, who was left out.

What belongs here: checks on ``terms_used``, ``cutoffs``, ``proposals``, ``payout_items`` and the
manifests beside claims. What does not: the batches themselves (``verify_batches``).

What an earlier release kept in no event is proved as far as ids and hashes lead.
Source: payouts reference 4.3: I7, I16; T1.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from sqlalchemy import select

from payouts import events, ids, left_out
from payouts.batch_manifest import manifest_text
from payouts.claims import MANIFEST_NAME, batch_folder
from payouts.findings import Check, Evidence, Finding, named
from payouts.hashing import sha256_bytes
from payouts.records import list_batches, load_content
from payouts.schema import batches, cutoffs, payout_items, proposals, terms_used

_SHARED = ("legal_entity", "currency_code", "rail", "pay_date", "cutoff_date", "as_of",
           "proposed_at")  # fmt: skip
_GROUP = _SHARED[:5]


def _finding(check: str, faults: list[str], proved: str) -> Finding:
    return Finding(check, not faults, "; ".join(faults) if faults else proved)


def _terms_used(evidence: Evidence) -> Iterator[Finding]:
    """T1: the versions that were used, since when, and their hashes, are those of the events."""
    recorded = {
        (*version, event.subject.removeprefix("terms:"))
        for event in events.of_kinds(evidence.control, ("terms_used",))
        for version in event.payload["versions"]
    }
    rows = evidence.control.execute(select(terms_used))
    stored = {(row.kind, row.id, row.version, row.sha256, row.first_as_of) for row in rows}
    faults = []
    if stored != recorded:
        differing = {" ".join(found[:3]) for found in stored ^ recorded}
        faults.append(f"versions of the terms are not those of their events: {named(differing)}")
    yield _finding("terms_used", faults, f"{len(stored)} versions, as their events say")


def _cutoffs(evidence: Evidence) -> Iterator[Finding]:
    """Every cut-off that was proposed is there, as its event says."""
    recorded = {
        (event.payload["cutoff_date"], event.payload["pay_date"], event.payload["as_of"],
         event.actor, event.recorded_at)
        for event in events.of_kinds(evidence.control, ("cutoff_proposed",))
    }  # fmt: skip
    rows = evidence.control.execute(select(cutoffs))
    stored = {
        (row.cutoff_date, row.pay_date, row.as_of, row.actor, row.proposed_at) for row in rows
    }
    faults = []
    if stored != recorded:
        differing = {found[0] for found in stored ^ recorded}
        faults.append(f"cut-offs are not those of their events: {named(differing)}")
    yield _finding("cutoffs", faults, f"{len(stored)} cut-offs, as their events say")


def _proposals(evidence: Evidence) -> Iterator[Finding]:
    """Each proposal is its batch's, or its event's, and has the hash of whom it left out."""
    rows = {
        row["proposal_id"]: row for row in evidence.control.execute(select(proposals)).mappings()
    }
    own = {row["batch_id"]: row for row in evidence.control.execute(select(batches)).mappings()}
    items: dict[str, list[Mapping[str, Any]]] = {}
    for item in evidence.control.execute(select(payout_items)).mappings():
        items.setdefault(item["proposal_id"], []).append(item)
    recorded = _recorded(evidence)
    faults = []
    lost = recorded.keys() - rows.keys()
    unproposed = own.keys() - {row["batch_id"] for row in rows.values()}
    if lost:
        faults.append(f"proposals were removed: {named(lost)}")
    if unproposed:
        faults.append(f"batches without their proposal: {named(unproposed)}")
    if items.keys() - rows.keys():
        faults.append(f"payouts of no proposal: {named(items.keys() - rows.keys())}")
    faults += _gaps(list(rows.values()))
    for proposal_id, row in rows.items():
        found = items.get(proposal_id, [])
        if not _is_own(row, own) or not _is_recorded(row, recorded.get(proposal_id), found):
            faults.append(f"proposal {proposal_id} is not what was recorded")
        faults += [
            f"payout {item['payout_id']} of partner {item['partner_id']} is not what proposal "
            f"{proposal_id} recorded"
            for item in found
            if not _is_of_proposal(item, row)
        ]
    yield _finding("proposals", faults, f"{len(rows)} proposals, with whom they left out")


def _recorded(evidence: Evidence) -> dict[str, tuple[events.Event, Mapping[str, Any]]]:
    """What events keep of proposals, by proposal; earlier releases kept nothing."""
    found = events.of_kinds(evidence.control, ("batch_proposed", left_out.EVENT_KIND))
    return {
        event.payload[left_out.PAYLOAD_KEY]["proposal_id"]: (
            event, event.payload[left_out.PAYLOAD_KEY],
        )
        for event in found
        if left_out.PAYLOAD_KEY in event.payload
    }  # fmt: skip


def _gaps(rows: list[Mapping[str, Any]]) -> list[str]:
    """Proposals of one group are numbered without a gap: a removed one leaves a hole."""
    numbers: dict[tuple, list[int]] = {}
    for row in rows:
        numbers.setdefault(tuple(row[name] for name in _GROUP), []).append(row["ordinal"])
    return [
        f"a proposal of {' '.join(group)} was removed: its numbers are {named(found)}"
        for group, found in numbers.items()
        if sorted(found) != list(range(1, len(found) + 1))
    ]


def _is_own(row: Mapping[str, Any], own: Mapping[str, Mapping[str, Any]]) -> bool:
    """Whether id and batch fit: the id is made of the group, the batch has its days."""
    made = ids.proposal_id(
        row["legal_entity"], row["currency_code"], row["rail"],
        date.fromisoformat(row["pay_date"]), date.fromisoformat(row["cutoff_date"]), row["ordinal"],
    )  # fmt: skip
    batch = own.get(row["batch_id"])
    if row["batch_id"] is not None and batch is None:
        return False
    return made == row["proposal_id"] and (
        batch is None or all(row[name] == batch[name] for name in _SHARED)
    )


def _is_recorded(
    row: Mapping[str, Any],
    recorded: tuple[events.Event, Mapping[str, Any]] | None,
    found: list[Mapping[str, Any]],
) -> bool:
    missed = sorted(
        (item for item in found if item["left_out_reason"] is not None),
        key=lambda item: item["partner_id"],
    )
    names = ("partner_id", "amount_minor", "entries_hash", "left_out_reason")
    own_hash = left_out.left_out_hash(tuple(item[name] for name in names) for item in missed)
    if own_hash != row["left_out_hash"]:
        return False
    if recorded is None:
        return True
    event, said = recorded
    batch_id = None if event.kind == left_out.EVENT_KIND else event.subject.removeprefix("batch:")
    return (
        said["left_out_hash"] == row["left_out_hash"]
        and said["left_out_rows_sha256"] == left_out.rows_sha256(missed)
        and batch_id == row["batch_id"]
        and event.recorded_at == row["proposed_at"]
        and event.payload.get("as_of", row["as_of"]) == row["as_of"]
    )


def _is_of_proposal(item: Mapping[str, Any], row: Mapping[str, Any]) -> bool:
    """A payout belongs to its proposal's batch in its currency; who is left out has no account."""
    is_left_out = item["left_out_reason"] is not None
    scope = row["proposal_id"] if is_left_out else row["batch_id"]
    unused = ("partner_name", "details_id", "payee_fingerprint") if is_left_out else ()
    return (
        scope is not None
        and item["batch_id"] == row["batch_id"]
        and item["currency_code"] == row["currency_code"]
        and item["payout_id"] == ids.payout_id(scope, item["partner_id"])
        and all(item[name] is None for name in unused)
    )


def _batch_manifests(evidence: Evidence) -> Iterator[Finding]:
    """The manifest beside the claims is what was written, or says nothing else than the batch."""
    written = {
        event.subject.removeprefix("batch:"): event.payload[left_out.PAYLOAD_KEY]["manifest_sha256"]
        for event in events.of_kinds(evidence.control, ("batch_proposed",))
        if left_out.PAYLOAD_KEY in event.payload
    }
    faults = []
    summaries = list_batches(evidence.control)
    for summary in summaries:
        path = batch_folder(evidence.home, summary.batch_id) / MANIFEST_NAME
        name = f"batches/{summary.batch_id}/{MANIFEST_NAME}"
        if not path.is_file():
            faults.append(f"{name} is missing; restore it from a backup")
            continue
        content = path.read_bytes()
        sha256 = written.get(summary.batch_id)
        is_same = (
            sha256_bytes(content) == sha256
            if sha256
            else _says_the_same(evidence, summary.batch_id, content)
        )
        if not is_same:
            faults.append(f"{name} was changed; restore it from a backup")
    yield _finding("batch_manifests", faults, f"{len(summaries)} manifests beside their claims")


def _says_the_same(evidence: Evidence, batch_id: str, content: bytes) -> bool:
    """A manifest of an earlier release: no event holds its hash, and it may say less."""
    missed = evidence.control.execute(
        select(payout_items.c.partner_id, payout_items.c.amount_minor,
               payout_items.c.left_out_reason)
        .where(payout_items.c.batch_id == batch_id, payout_items.c.left_out_reason.is_not(None))
        .order_by(payout_items.c.partner_id)
    )  # fmt: skip
    expected = json.loads(
        manifest_text(load_content(evidence.control, batch_id), [tuple(row) for row in missed])
    )
    try:
        said = json.loads(content)
    except ValueError:
        return False
    if not isinstance(said, dict) or "content_hash" not in said:
        return False
    return all(said[name] == expected[name] for name in said.keys() & expected.keys())


PROPOSAL_CHECKS: tuple[Check, ...] = (_terms_used, _cutoffs, _proposals, _batch_manifests)
