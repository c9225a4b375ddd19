"""Exporting again: the registered bytes or a refusal (I18).

What belongs here: what an export left, and writing a lost file again. What does not: the first
export (``export``).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, select

from payouts.approval_checks import check_hash
from payouts.durable import write_durably
from payouts.errors import ExportDamagedError
from payouts.export_files import MANIFEST_NAME, private_folder
from payouts.export_guards import proposed_at
from payouts.hashing import sha256_bytes, sha256_file
from payouts.records import BatchContent, load_content, load_state
from payouts.rendering import render_files
from payouts.schema import export_files, exports
from payouts.store import Store

if TYPE_CHECKING:
    from payouts.vault import Vault


@dataclass(frozen=True)
class ExportResult:
    """Payout files on disk. ``is_new`` is False when the batch had been exported before.

    ``file_path`` and ``file_sha256`` are those of the first file, ``files`` names all.
    """

    batch_id: str
    is_new: bool
    file_path: Path
    file_sha256: str
    manifest_path: Path
    segment: int
    items: int
    total_amount_minor: int
    currency_code: str
    files: tuple[Path, ...] = ()


def export_again(store: Store, home: Path, batch_id: str, vault: Vault | None) -> ExportResult:
    """I18: the same bytes or a refusal. Nothing is recorded, because nothing happens.

    Files that are all there are compared with their hashes; only one that is missing is rendered.
    """
    with store.read() as reader:
        content = load_content(reader, batch_id)
        state = load_state(reader, batch_id)
        row = reader.execute(select(exports).where(exports.c.batch_id == batch_id)).one()
        registered = registered_files(reader, batch_id)
        created_at = proposed_at(reader, batch_id)
    check_hash(home, content, state, row.content_hash)
    folder = private_folder(home, batch_id)
    names = [Path(file.file_path).name for file in registered]
    wanted: dict[str, bytes | None] = dict.fromkeys(names)
    if not all((folder / name).exists() for name in names):
        day = date.fromisoformat(
            json.loads(row.manifest).get("execution_date", content.pay_date.isoformat())
        )
        rendered = render_files(content, vault, created_at, day)
        wanted |= {file.name: file.content for file in rendered}
    hashes = dict(zip(names, (file.file_sha256 for file in registered), strict=True))
    _same_or_again(folder / MANIFEST_NAME, row.manifest.encode("utf-8"), row.manifest_sha256)
    for name in names:
        _same_or_again(folder / name, wanted[name], hashes[name])
    return export_result(content, folder, names, row.segment, False)


def registered_files(connection: Connection, batch_id: str) -> list[Any]:
    """The registered files of an export, in order."""
    query = select(export_files).where(export_files.c.batch_id == batch_id)
    return list(connection.execute(query.order_by(export_files.c.part)))


def _same_or_again(path: Path, wanted: bytes | None, registered_sha256: str) -> None:
    """Raises: ExportDamagedError unless the file is, or can be made, what was registered."""
    if wanted is not None and sha256_bytes(wanted) != registered_sha256:
        raise ExportDamagedError(
            f"{path.parent.name} would now give another {path.name} than was exported; nothing "
            "was written. Run partnerledger verify"
        )
    if not path.exists():
        write_durably(path, wanted or b"", "export_again")
    elif sha256_file(path) != registered_sha256:
        raise ExportDamagedError(
            f"{path} differs from what was exported; do not upload it. Move it away and export "
            "again to get the registered bytes"
        )


def export_result(
    content: BatchContent, folder: Path, names: list[str], segment: int, is_new: bool
) -> ExportResult:
    paths = tuple(folder / name for name in names)
    return ExportResult(
        batch_id=content.batch_id,
        is_new=is_new,
        file_path=paths[0],
        file_sha256=sha256_file(paths[0]),
        manifest_path=folder / MANIFEST_NAME,
        segment=segment,
        items=len(content.items),
        total_amount_minor=content.total_amount_minor,
        currency_code=content.currency_code,
        files=paths,
    )
