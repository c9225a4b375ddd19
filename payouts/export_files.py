"""Where payout files lie, and removing those that must not be paid.

What belongs here: folders of exports. What does not: writing a payout file (``export``).
Source: payouts reference 7 (export files: 0700 folders, fixed names, inside their root).
"""

from __future__ import annotations

import shutil
from pathlib import Path

from sqlalchemy import Connection, select

from payouts.durable import ensure_folder, remove_parts, safe_child
from payouts.schema import exports
from payouts.store import Store

EXPORT_FOLDER = "exports"
MANIFEST_NAME = "manifest.json"


def export_folder(home: Path, batch_id: str) -> Path:
    """Folder of a batch's payout file; it need not exist.

    Raises: UnsafePathError.
    """
    return safe_child(home / EXPORT_FOLDER, batch_id)


def private_folder(home: Path, batch_id: str) -> Path:
    """The same folder, existing, closed to other users, without left-overs of a killed export."""
    folder = export_folder(home, batch_id)
    ensure_folder(folder.parent, 0o700)
    ensure_folder(folder, 0o700)
    remove_parts(folder)
    return folder


def unregistered_exports(connection: Connection, home: Path) -> list[str]:
    """Folders under exports that belong to no registered export: left by a crash."""
    folder = home / EXPORT_FOLDER
    if not folder.is_dir():
        return []
    registered = set(connection.execute(select(exports.c.batch_id)).scalars())
    return sorted(each.name for each in folder.iterdir() if each.name not in registered)


def discard_unregistered_exports(store: Store, home: Path) -> None:
    """Remove every payout file that a crash left behind; the caller holds the files lock."""
    with store.read() as connection:
        left = unregistered_exports(connection, home)
    for name in left:
        discard_unregistered_export(store, home, name)


def discard_unregistered_export(store: Store, home: Path, batch_id: str) -> None:
    """Remove a payout file that a crash left behind for a batch that was never exported.

    A file that nobody may pay must not lie where payable files lie.
    """
    with store.read() as connection:
        if connection.execute(select(exports).where(exports.c.batch_id == batch_id)).first():
            return
    folder = export_folder(home, batch_id)
    if folder.is_dir():
        shutil.rmtree(folder)
