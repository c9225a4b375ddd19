"""Holding an evidence pack against itself, and against the chain of the home that wrote it.

What belongs here: what must agree between the members of a pack. What does not: the container
(``pack_file``) and what is packed (``evidence_pack``).
Source: payouts reference 3.2; I6, I7, I13.

Somebody who changes a member and its hash in the index has still to change events, each of which
has the hash of its content; and those are in the chain of the home.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import Connection

from payouts import events
from payouts.hashing import sha256_bytes
from payouts.outcome_rows import rows_sha256
from payouts.pack_file import read_pack

_EXPORTED, _PROPOSED, _APPROVED = "batch_exported", "batch_proposed", "batch_approved"


def check_pack(content: bytes) -> list[str]:
    """Everything that differs in a pack, one sentence each; empty when it is whole.

    content: the bytes of the file. A file that is no pack is one fault.
    """
    members, faults = read_pack(content)
    if faults:
        return faults
    try:
        return list(_contradictions(members))
    except (KeyError, ValueError, TypeError, AttributeError, IndexError) as error:
        return [f"a member does not have the form that this version reads: {error!r}"]


def check_against_home(connection: Connection, content: bytes) -> list[str]:
    """Events of a whole pack that the chain of this home does not hold, and its head."""
    members, _ = read_pack(content)
    head = json.loads(members["audit_chain.json"])
    faults = [
        f"event {row['seq']} of the pack is not in the chain of this home"
        for row in _events(members)
        if not events.contains(connection, row["seq"], row["hash"])
    ]
    if not events.contains(connection, head["event"], head["hash"]):
        faults.append(f"the chain of this home lacks the pack's head, event {head['event']}")
    return faults


def _contradictions(members: Mapping[str, bytes]) -> Iterator[str]:
    rows = _events(members)
    for row in rows:
        if row["hash"] != events.event_hash(row):
            yield f"event {row['seq']} does not match its hash"
    payloads = {row["kind"]: json.loads(row["payload"]) for row in rows}
    manifest = json.loads(members["manifest.json"])
    yield from _of_proposal(manifest, payloads[_PROPOSED], members)
    yield from _of_approvals(json.loads(members["approvals.json"]), manifest, rows)
    yield from _of_export(payloads.get(_EXPORTED), members)
    yield from _of_settlement(json.loads(members["settlement.json"]), rows)
    terms = json.loads(members["terms.json"])
    if terms["terms_hash"] != manifest["terms_hash"]:
        yield "terms.json and the manifest name different terms"
    named = terms["file"]["sha256"] if terms["file"] else None
    found = sha256_bytes(members["program.yml"]) if "program.yml" in members else None
    if named != found:
        yield "program.yml is not the file that terms.json names"
    head = json.loads(members["audit_chain.json"])
    if rows[-1]["seq"] > head["event"]:
        yield "the head of the audit chain is older than the batch's last event"


def _of_proposal(
    manifest: Mapping[str, Any], proposed: Mapping[str, Any], members: Mapping[str, bytes]
) -> Iterator[str]:
    """I6, I7: the manifest is what was proposed, and adds up."""
    for name in ("content_hash", "currency_code", "total_amount_minor", "claims_sha256"):
        if manifest[name] != proposed[name]:
            yield f"{name} of the manifest is not what was proposed"
    items = manifest["items"]
    if (len(items), sum(item["amount_minor"] for item in items)) != (
        proposed["items"],
        proposed["total_amount_minor"],
    ):
        yield "the items of the manifest do not add up to what was proposed"
    if sha256_bytes(members["claims.parquet"]) != proposed["claims_sha256"]:
        yield "claims.parquet is not what was proposed"


def _of_approvals(
    approvals: Mapping[str, Any], manifest: Mapping[str, Any], rows: list[dict[str, Any]]
) -> Iterator[str]:
    given = {
        row["seq"]: (row["hash"], row["actor"], row["identity_level"], row["recorded_at"],
                     json.loads(row["payload"]))
        for row in rows
        if row["kind"] == _APPROVED
    }  # fmt: skip
    own = ("event", "event_hash", "actor", "identity_level", "recorded_at")
    packed = {
        each["event"]: (each["event_hash"], each["actor"], each["identity_level"],
                        each["recorded_at"],
                        {name: value for name, value in each.items() if name not in own})
        for each in approvals["given"]
    }  # fmt: skip
    if packed != given or not set(approvals["counting_events"]) <= given.keys():
        yield "approvals.json is not what the events say"
    if (
        approvals["content_hash"] != manifest["content_hash"]
        or approvals["maker"] != rows[0]["actor"]
    ):
        yield "approvals.json names another content or maker than was proposed"
    for delegation_rows in approvals["delegations"].values():
        for row in delegation_rows:
            if row["hash"] != events.event_hash(row):
                yield f"event {row['seq']} of a delegation does not match its hash"


def _of_export(exported: Mapping[str, Any] | None, members: Mapping[str, bytes]) -> Iterator[str]:
    """I7: what left is what was approved."""
    record = json.loads(members["export.json"])
    if exported is None:
        if record is not None or "export_manifest.json" in members:
            yield "the pack shows an export that no event says"
        return
    if record is None:
        yield "the export is missing from the pack"
        return
    if sha256_bytes(members["export_manifest.json"]) != exported["manifest_sha256"]:
        yield "export_manifest.json is not what was exported"
    files = [file["file_sha256"] for file in record["files"]]
    # Exports of an earlier version name one file.
    if files != exported.get("files_sha256", [exported["file_sha256"]]):
        yield "the files of export.json are not those that were exported"
    if (record["content_hash"], record["manifest_sha256"], record["segment"]) != (
        exported["content_hash"],
        exported["manifest_sha256"],
        exported["segment"],
    ):
        yield "export.json is not what was exported"


def _of_settlement(settlement: Mapping[str, Any], rows: list[dict[str, Any]]) -> Iterator[str]:
    """What became of payouts is what was read: each event holds the hash of its outcomes."""
    proved = {
        row["seq"]: payload["rows_sha256"]
        for row in rows
        if "rows_sha256" in (payload := json.loads(row["payload"]))
    }
    found: dict[int, list[dict[str, Any]]] = {}
    for outcome in settlement["outcomes"]:
        found.setdefault(outcome["seq"], []).append(outcome)
    for seq in sorted(proved.keys() | found.keys()):
        if proved.get(seq) != rows_sha256(found.get(seq, [])):
            yield f"the outcomes of settlement.json are not those of event {seq}"


def _events(members: Mapping[str, bytes]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in members["events.jsonl"].splitlines()]
