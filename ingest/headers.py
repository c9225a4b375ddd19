"""The check of a file's column names against the declaration of its entity.

Belongs here: refusing a whole file for its columns, with what was probably meant. Does not belong
here: reading the file or checking its rows.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from ingest.entities import Entity, nearest
from ingest.errors import FileRefusedError

COLUMNS_ADVICE = "Use the declared column names; docs/files-source.md lists them."

DELIMITERS = {";": "semicolons", "\t": "tabs", "|": "bars", ",": "commas"}


def shown_name(name: str) -> str:
    """A column name for a message; nothing that could be a value where a name should stand."""
    if re.fullmatch("[A-Za-z_][A-Za-z0-9_ .-]{0,63}", name):
        return f"{name!r}"
    return "(not a name)"


def check_header(entity: Entity, names: Sequence[str], place: str, delimiter: str = ",") -> None:
    """Refuse duplicate, unknown and missing columns.

    names: as in the file, trimmed. place: `file, line` for the message. delimiter: of a CSV file.
    Raises: FileRefusedError naming every wrong column with its position.
    """
    declared = entity.column_names
    if not any(name in declared for name in names):
        other = _other_delimiter(names, delimiter)
        if other:
            raise FileRefusedError(
                f"{place}: is not a header of {entity.name}: the columns are separated by "
                f"{DELIMITERS[other]}, not {DELIMITERS[delimiter]}",
                f"Set delimiter under formats.{entity.name} of the source in sources.yml, or save "
                f"the file with {DELIMITERS[delimiter]}.",
            )
        raise FileRefusedError(
            f"{place}: is not a header of {entity.name}",
            f"Begin the file with the column names: {', '.join(declared)}.",
        )
    problems = []
    for name, count in Counter(names).items():
        if count > 1:
            at = [str(i) for i, each in enumerate(names, start=1) if each == name]
            problems.append(
                f"column {shown_name(name)} appears {count} times (positions {', '.join(at)})"
            )
    for position, name in enumerate(names, start=1):
        if name not in declared:
            problems.append(f"column {position} {unknown_column(entity, name)}")
    missing = [name for name in entity.required_names if name not in names]
    missing += [
        " or ".join(group) for group in entity.any_of if not any(name in names for name in group)
    ]
    if missing:
        problems.append(f"required column {', '.join(missing)} is missing")
    if problems:
        raise FileRefusedError(f"{place}: {'; '.join(problems)}", COLUMNS_ADVICE)


def unknown_column(entity: Entity, name: str) -> str:
    """What to say about a name that the entity does not declare."""
    if not name:
        return "has no name"
    meant = nearest(name, entity.column_names)
    hint = f", did you mean {meant}?" if meant else ""
    return f"{shown_name(name)} is not declared for {entity.name}{hint}"


def _other_delimiter(names: Sequence[str], delimiter: str) -> str | None:
    """What separates the columns of a header that was read as one."""
    if len(names) > 1:
        return None
    return next((each for each in DELIMITERS if each != delimiter and each in names[0]), None)
