"""A published snapshot with other rows, for what the sample does not have."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import duckdb

from dashboards.snapshot import POINTER_NAME, read_pointer, serving_folder


def change_snapshot(home: Path, statements: Sequence[str]) -> None:
    """Publish a copy of the present snapshot after these statements. home: of this test alone."""
    pointer = read_pointer(home)
    changed = f"changed-{pointer.path}"
    file = serving_folder(home) / changed
    shutil.copyfile(serving_folder(home) / pointer.path, file)
    file.chmod(0o600)
    with duckdb.connect(str(file)) as connection:
        for statement in statements:
            connection.execute(statement)
    target = serving_folder(home) / POINTER_NAME
    # The pointer may share its bytes with the snapshot that other tests read.
    target.unlink()
    target.write_text(json.dumps({**vars(pointer), "path": changed}), encoding="utf-8")
