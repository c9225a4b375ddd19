"""Long lists: a page of them on a page, all of them in a file.

Queries end with ``limit $limit offset $offset`` after an order that no two rows share.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from dashboards.errors import BadInputError

if TYPE_CHECKING:
    from dashboards.visit import Visit

SIZE = 50
_TEXT_CHARACTERS = 200


def window(visit: Visit, table: str, size: int = SIZE) -> dict[str, int | None]:
    """limit and offset for a query: the page that is asked for, or everything for a file.

    table: name of the table that the rows are for; a file of another table needs no rows of it.
    """
    if visit.wants_csv:
        return {"limit": None if visit.asked("csv") == table else 0, "offset": 0}
    return {"limit": size, "offset": (visit.page_number() - 1) * size}


def asked_text(visit: Visit, name: str) -> str:
    """A value of the address by which a list is filtered. Raises: BadInputError if over-long."""
    text = visit.asked(name).strip()
    if len(text) > _TEXT_CHARACTERS:
        raise BadInputError(f"{name}: {len(text)} characters, {_TEXT_CHARACTERS} at most")
    return text


def asked_code(visit: Visit, name: str, known: Collection[str]) -> str:
    """A value of the address that must be one of the known ones. Raises: BadInputError."""
    text = asked_text(visit, name)
    if text and text not in known:
        raise BadInputError(f"{name}={text[:40]}: one of {', '.join(sorted(known))}")
    return text
