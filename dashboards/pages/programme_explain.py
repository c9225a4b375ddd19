"""The chain of evidence behind an id, as a page (B1).

What does not belong here: finding it and choosing the words (`Services`); a document has a title, a
subtitle and blocks: facts, tables, sentences.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from dashboards import addresses
from dashboards.paging import asked_text
from dashboards.routing import page
from dashboards.tables import Column, Table
from dashboards.users import STAFF

if TYPE_CHECKING:
    from starlette.responses import Response

    from dashboards.visit import Visit

# A batch or a balance may rest on very many entries; a file of the table has them all.
ROWS_SHOWN = 200
_PAGES = {
    "lead": addresses.lead,
    "commission": addresses.commission,
    "balance": addresses.partner,
    "batch": addresses.batch,
}


def explain(visit: Visit) -> Response:
    """The page; without an id the question alone."""
    reference = asked_text(visit, "ref")
    if not reference:
        return visit.render("programme/explain.html", reference="", document=None, blocks=[])
    evidence = visit.services.explain(visit.snapshot, reference)
    document = visit.services.explain_document(evidence)
    blocks, tables = _laid_out(document.blocks, visit.wants_csv)
    address = _PAGES.get(evidence["reference_type"])
    return visit.render(
        "programme/explain.html",
        tables=tables,
        reference=reference,
        document=document,
        blocks=blocks,
        own_page=address(_id_of(evidence)) if address else None,
    )


def _id_of(evidence: dict[str, Any]) -> str:
    """The id on the page of its own; a lead may have been asked for by another of its ids."""
    lead = evidence.get("lead") if evidence["reference_type"] == "lead" else None
    return lead["lead_id"] if lead else evidence["reference"]


def _laid_out(blocks: Iterable[Any], is_whole: bool) -> tuple[list[dict[str, Any]], list[Table]]:
    """Blocks as the template takes them, and the tables among them."""
    laid, tables = [], []
    for block in blocks:
        if hasattr(block, "columns"):
            table = _table(f"table-{len(tables) + 1}", block, is_whole)
            tables.append(table)
            laid.append({"kind": "table", "table": table})
        elif hasattr(block, "rows"):
            laid.append({"kind": "facts", "title": block.title, "facts": _filled(block.rows)})
        elif hasattr(block, "texts"):
            laid.append({"kind": "sentences", "title": block.title, "texts": block.texts})
        else:
            laid.append({"kind": "sentence", "text": block.text, "is_fault": block.is_fault})
    return laid, tables


def _table(name: str, block: Any, is_whole: bool) -> Table:
    """Columns may share a name, or have none: rows are keyed by place."""
    rows = block.rows if is_whole else block.rows[:ROWS_SHOWN]
    more = len(block.rows) - len(rows)
    return Table(
        name,
        block.title,
        [
            _column(str(place), label, label in block.whole)
            for place, label in enumerate(block.columns)
        ],
        [_keyed(row) for row in rows],
        total=len(block.rows),
        note=f"{more} more; the CSV has all of them." if more else "",
    )


def _column(key: str, label: str, is_id: bool) -> Column:
    shown = label or "Note"
    if is_id or label in ("record", "partner"):
        return Column(
            key, shown.capitalize(), "id", href=lambda row: addresses.explain(row[key])
            if is_id or label == "partner" else None,
        )  # fmt: skip
    return Column(key, shown[:1].upper() + shown[1:])


def _keyed(row: Sequence[Any]) -> dict[str, str]:
    return {str(place): _shown(value) for place, value in enumerate(row)}


def _filled(rows: Iterable[tuple[str, Any]]) -> list[tuple[str, str]]:
    texts = [(name, _shown(value)) for name, value in rows]
    return [(name, text) for name, text in texts if text]


def _shown(value: Any) -> str:
    """A value as people read it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(map(_shown, value))
    if isinstance(value, dict):
        return ", ".join(f"{name} {_shown(each)}" for name, each in value.items() if each)
    return str(value)


ENTRIES = [page("/explain", explain, STAFF)]
