"""Proof that payout files, manifests and the register agree (I5, I7, I18).

What belongs here: checks on what was exported. What does not: batches (``verify_batches``).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy import select

from payouts import events
from payouts.errors import PayoutsError, VaultKeyMissingError
from payouts.export_again import registered_files
from payouts.export_files import MANIFEST_NAME, unregistered_exports
from payouts.export_guards import proposed_at
from payouts.findings import Evidence, Finding, named
from payouts.hashing import sha256_bytes, sha256_file, sha256_text
from payouts.records import content_hash, list_batches, load_content
from payouts.rendering import needs_vault, render_files
from payouts.schema import exports
from payouts.states import EXPORTED_STATES


def exports_agree(evidence: Evidence) -> Iterator[Finding]:
    """I7, I18: files, manifests and register agree, and the files would be written again equally.

    Files that name accounts are rendered again where the vault's key is at hand.
    """
    faults: list[str] = []
    rows = evidence.control.execute(select(exports).order_by(exports.c.batch_id)).all()
    exported = {summary.batch_id for summary in list_batches(evidence.control, EXPORTED_STATES)}
    unregistered = exported ^ {row.batch_id for row in rows}
    if unregistered:
        faults.append(
            f"exported batches and registered files are not the same set: {named(unregistered)}"
        )
    recorded = {
        event.subject.removeprefix("batch:"): event
        for event in events.of_kinds(evidence.control, ("batch_exported",))
    }
    present = rendered = 0
    for row in rows:
        try:
            faults += _event_faults(evidence, row, recorded.get(row.batch_id))
            faults += _register_faults(evidence, row)
            found, missing = _file_faults(evidence, row)
            faults += found
            present += not missing
            again, is_rendered = _rendering_faults(evidence, row)
            faults += again
            rendered += is_rendered
        except (PayoutsError, ValueError, TypeError, AttributeError, LookupError) as error:
            # A row that the product cannot have written; the others are still judged.
            faults.append(f"the register of export {row.batch_id} cannot be read: {error}")
    for name in unregistered_exports(evidence.control, evidence.home):
        faults.append(f"exports/{name} belongs to no export: do not upload it, propose or export")
    proved = (
        f"{len(rows)} exports, files of {present} present and unchanged, {rendered} rendered again "
        "with the same bytes"
    )
    yield Finding("exports", not faults, "; ".join(faults) if faults else proved)


def _event_faults(evidence: Evidence, row: Any, event: events.Event | None) -> list[str]:
    """What the register says otherwise than the export's event and the manifest that it proves."""
    if event is None:
        return [f"{row.batch_id} is registered as exported without its event"]
    faults = []
    stored = (row.content_hash, row.file_sha256, row.manifest_sha256, row.segment, row.exported_at)
    names = ("content_hash", "file_sha256", "manifest_sha256", "segment")
    if stored != (*(event.payload[name] for name in names), event.recorded_at):
        faults.append(f"the register of export {row.batch_id} is not what its event says")
    manifest = json.loads(row.manifest)
    if not isinstance(manifest, dict):
        return [*faults, f"the registered manifest of {row.batch_id} was changed"]
    files = registered_files(evidence.control, row.batch_id)
    said = manifest.get("files")
    if said is None:
        return faults
    listed = [
        (part, file["name"], file["sha256"], file["bytes"], file["items"],
         file["total_amount_minor"])
        for part, file in enumerate(said, start=1)
    ]  # fmt: skip
    found = [
        (file.part, Path(file.file_path).name, file.file_sha256, file.file_bytes, file.items,
         file.total_amount_minor)
        for file in files
    ]  # fmt: skip
    if found != listed or (files and row.file_bytes != files[0].file_bytes):
        faults.append(f"the registered files of {row.batch_id} are not those of its manifest")
    return faults


def _register_faults(evidence: Evidence, row: Any) -> list[str]:
    faults = []
    content = load_content(evidence.control, row.batch_id)
    files = registered_files(evidence.control, row.batch_id)
    if sha256_text(row.manifest) != row.manifest_sha256:
        faults.append(f"the registered manifest of {row.batch_id} was changed")
    if row.content_hash != content_hash(content):
        faults.append(f"{row.batch_id} was exported with another content hash")
    totals = (sum(file.items for file in files), sum(file.total_amount_minor for file in files))
    if totals != (len(content.items), content.total_amount_minor):
        faults.append(f"the files of {row.batch_id} do not add up to it")
    if not files or (files[0].file_path, files[0].file_sha256) != (row.file_path, row.file_sha256):
        faults.append(f"the registered files of {row.batch_id} are not those of its export")
    return faults


def _file_faults(evidence: Evidence, row: Any) -> tuple[list[str], bool]:
    """What differs on disk, and whether a file is missing, as after its retention."""
    faults, is_missing = [], False
    manifest = evidence.home / row.file_path
    manifest = manifest.parent / MANIFEST_NAME
    if manifest.is_file() and sha256_file(manifest) != row.manifest_sha256:
        faults.append(f"{manifest.parent.name}/{MANIFEST_NAME} differs from what was exported")
    for file in registered_files(evidence.control, row.batch_id):
        path = evidence.home / file.file_path
        is_missing = is_missing or not path.is_file()
        if path.is_file() and sha256_file(path) != file.file_sha256:
            faults.append(f"{file.file_path} differs from what was exported; do not upload it")
    return faults, is_missing


def _rendering_faults(evidence: Evidence, row: Any) -> tuple[list[str], bool]:
    """What a rendering of now differs in, and whether there was one."""
    content = load_content(evidence.control, row.batch_id)
    vault = None
    if needs_vault(content):
        from payouts.vault import open_vault

        try:
            vault = open_vault(evidence.home)
        except VaultKeyMissingError:
            return [], False
    day = json.loads(row.manifest).get("execution_date")
    day = date.fromisoformat(day) if day else content.pay_date
    try:
        files = render_files(content, vault, proposed_at(evidence.control, row.batch_id), day)
    except PayoutsError as error:
        return [f"the files of {row.batch_id} cannot be rendered again: {error}"], False
    wanted = [file.file_sha256 for file in registered_files(evidence.control, row.batch_id)]
    if [sha256_bytes(file.content) for file in files] != wanted:
        return [f"{row.batch_id} would now give another file than was exported"], False
    return [], True
