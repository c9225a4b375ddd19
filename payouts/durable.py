"""Files that survive a crash: temporary name, fsync, rename, fsync of the folder.

What belongs here: writing and publishing files, their permissions, and paths that stay inside
their root. What does not: registering a file, which is a control-database transaction.
Source: payouts reference 4.5 (write order) and 7 (export files).
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from payouts.checkpoints import reached
from payouts.errors import StorageError, UnsafePathError

PART_SUFFIX = ".part"
_FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,120}")


def safe_child(root: Path, *names: str) -> Path:
    """``root/names…``, refused when a name is not plain or a link leads out of ``root``.

    Raises: UnsafePathError.
    """
    path = root
    for name in names:
        if not _FILE_NAME.fullmatch(name) or ".." in name:
            raise UnsafePathError(f"{name!r} is not an allowed file name; nothing was written")
        path = path / name
        if path.is_symlink():
            raise UnsafePathError(
                f"{path} is a symbolic link; replace it by a plain file or folder"
            )
    return path


@contextmanager
def storage_errors(path: Path, purpose: str) -> Iterator[None]:
    """Turn an operating-system error into one line that says what could not be written."""
    try:
        yield
    except OSError as error:
        raise StorageError(
            f"cannot write {purpose} {path}: {error.strerror or error}; nothing was registered. "
            "Free space or fix the permissions of the folder, then run the same command again"
        ) from error


def ensure_folder(path: Path, mode: int | None = None) -> None:
    """Create a folder and its parents; ``mode`` is enforced also when it exists already."""
    with storage_errors(path, "folder"):
        path.mkdir(parents=True, exist_ok=True)
        if mode is not None:
            os.chmod(path, mode)


def part_path(path: Path) -> Path:
    """The temporary name beside ``path``; the process id keeps two writers apart."""
    return path.with_name(f"{path.name}.{os.getpid()}{PART_SUFFIX}")


def remove_parts(folder: Path) -> None:
    """Remove temporary files that a killed writer left; the caller is the folder's only writer."""
    with storage_errors(folder, "folder"):
        for part in folder.glob(f"*{PART_SUFFIX}"):
            part.unlink()


def publish(part: Path, path: Path, step: str) -> None:
    """Make a written temporary file durable and give it its name: fsync, rename, fsync folder.

    step: prefix of the checkpoints ``<step>_written``, ``<step>_synced``, ``<step>_renamed``.
    """
    with storage_errors(path, "file"):
        reached(f"{step}_written")
        descriptor = os.open(part, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        reached(f"{step}_synced")
        os.replace(part, path)
        sync_folder(path.parent)
        reached(f"{step}_renamed")


def sync_folder(path: Path) -> None:
    """Make a rename inside ``path`` durable."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_durably(path: Path, content: bytes, step: str, mode: int = 0o600) -> None:
    """Write ``content`` so that either all of it or nothing is visible under ``path``.

    Raises: StorageError; the temporary file is removed.
    """
    part = part_path(path)
    try:
        with storage_errors(path, "file"):
            part.unlink(missing_ok=True)
            descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
            with os.fdopen(descriptor, "wb") as stream:
                os.fchmod(stream.fileno(), mode)
                stream.write(content)
        publish(part, path, step)
    except StorageError:
        part.unlink(missing_ok=True)
        raise
