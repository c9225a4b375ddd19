"""Names in a drop folder: which entity a file is of, what is not read, and in which order.

Belongs here: everything that is known of a file before it is opened. Does not belong here: which
files are new (`files`, `drop_look`), reading them. Source: interfaces.md "The files source".
"""

from __future__ import annotations

import re
from pathlib import Path

from ingest.entities import ENTITIES, Entity, nearest
from ingest.errors import FileRefusedError

TEXT_SUFFIXES = {".csv": "csv", ".ndjson": "ndjson", ".jsonl": "ndjson"}
SUFFIXES = {**TEXT_SUFFIXES, ".parquet": "parquet"}
ARRIVING_SUFFIXES = (".tmp", ".part")
UNREAD_SUFFIXES = (
    ".xlsx", ".xls", ".ods", ".tsv", ".txt", ".json", ".xml", ".gz", ".zst", ".zip", ".bz2", ".xz",
)  # fmt: skip
"""Suffixes people drop by mistake: reported when the name is that of an entity, never ignored."""


def entity_name(file_name: str) -> str:
    """The entity a file's name says: the text before the first `-` or `.`, in lower case.

    >>> entity_name("invoices-2026-03.ndjson")
    'invoices'
    """
    return re.split("[-.]", file_name, maxsplit=1)[0].lower()


def arrival_order(file_name: str) -> tuple[tuple[int, int, str], ...]:
    """Sort key in which files of one night land: the stem, its figures as numbers.

    `invoices.csv` comes before `invoices-2.csv`, that before `invoices-10.csv`: what is dated
    later counts as newer (rule F1).
    """
    stem = file_name[: file_name.rindex(".")] if "." in file_name else file_name
    figures = re.split("([0-9]+)", stem.lower())
    key = [(1, int(text), "") if text.isdigit() else (0, 0, text) for text in figures if text]
    return (*key, (-1, 0, file_name))


def arrived_names(folder: Path) -> list[str]:
    """Names of the complete files of a drop folder, and of what is named like one, in order of
    arrival. Raises: OSError."""
    names = (path.name for path in folder.iterdir() if path.is_file() or _is_meant(path.name))
    return sorted(filter(_is_complete, names), key=arrival_order)


def _is_meant(name: str) -> bool:
    """Whether something is named like a file for this folder, whatever it is."""
    return name.lower().endswith((*SUFFIXES, *UNREAD_SUFFIXES))


def entity_of(path: Path) -> Entity | None:
    """The entity that a file is of; None if the file is nobody's business.

    Raises: FileRefusedError if it seems to be meant for this folder, and cannot be read.
    """
    name = path.name
    entity = ENTITIES.get(entity_name(name))
    if Path(name).suffix.lower() not in SUFFIXES:
        if entity and name.lower().endswith(UNREAD_SUFFIXES):
            raise _unread_format(name)
        return None
    if entity is None:
        raise _unknown_entity(name)
    _refuse_special(path)
    return entity


def _refuse_special(path: Path) -> None:
    """Raises: FileRefusedError for what is no file, although it is named like one.

    Links are refused too: what they point to can lie outside the folder, and can be exchanged
    without anything in the folder changing.
    """
    if path.is_symlink():
        found = "a symbolic link"
    elif path.is_dir():
        found = "a folder"
    elif path.exists() and not path.is_file():
        found = "a pipe or a device"
    else:
        return
    raise FileRefusedError(
        f"{path.name}: is {found}, not a file", "Put the file itself into the folder."
    )


def stream_name(name: str) -> str:
    """The stream that speaks of a file: its entity, else the file itself."""
    entity = entity_name(name)
    return entity if entity in ENTITIES else name


def _is_complete(name: str) -> bool:
    return not name.startswith(".") and not name.lower().endswith(ARRIVING_SUFFIXES)


def _unread_format(name: str) -> FileRefusedError:
    return FileRefusedError(
        f"{name}: files of this format are not read",
        "Save it as CSV, NDJSON or Parquet, uncompressed.",
    )


def _unknown_entity(name: str) -> FileRefusedError:
    meant = nearest(entity_name(name), ENTITIES)
    hint = f", did you mean {meant}?" if meant else ""
    return FileRefusedError(
        f"{name}: there is no entity {entity_name(name)!r}{hint}",
        f"Name files after their entity: {', '.join(ENTITIES)}.",
    )


def is_text(file_name: str) -> bool:
    """Whether a file of that name is text, and kept compressed."""
    return Path(file_name).suffix.lower() in TEXT_SUFFIXES
