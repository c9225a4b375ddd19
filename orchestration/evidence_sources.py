"""Where a record was received: landing, file or page, line and hash, found in the home (B1).

What belongs here: from ids to rows of landed parts, and from a row back to the bytes that the
source sent. What does not: what a record means (dbt), and which records an amount rests on
(`evidence_home`). Values that name people are not read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestration.cli_common import query
from orchestration.landed_parts import (
    entity_parts,
    member_sql,
    parts_sql,
    relation_parts,
    text_sql,
    texts_sql,
)

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from ingest.manifest import Landing, Part

Record = dict[str, Any]

# Record type, as models and entries name it → entity and id column of the files source.
_ENTITIES = {
    "invoice": ("invoices", "invoice_id"),
    "invoice_line": ("invoice_lines", "invoice_line_id"),
    "payment": ("payments", "payment_id"),
    "refund": ("refunds", "refund_id"),
    "dispute": ("disputes", "dispute_id"),
    "credit_note": ("credit_notes", "credit_note_id"),
    "subscription": ("subscriptions", "subscription_id"),
    "meeting": ("meetings", "meeting_id"),
    "deal": ("deals", "deal_id"),
    "product_event": ("product_events", "event_id"),
    "touchpoint": ("touchpoints", "touchpoint_id"),
    "form_submission": ("form_submissions", "submission_id"),
    "deal_registration": ("deal_registrations", "registration_id"),
    "contact": ("contacts", "contact_id"),
    "customer": ("customers", "customer_id"),
}
_TYPES = {entity: record_type for record_type, (entity, _) in _ENTITIES.items()}
# What belongs to an invoice in files, found by the invoice that it names.
_OF_INVOICE = ("payments",)
# What names its invoice, charge or payment intent in Stripe.
_STRIPE_OF_INVOICE = ("charges", "invoice_payments")
# Of an API's object only these are shown: amounts and states, nothing that names a person.
_SHOWN_KEYS = (
    "status", "currency", "amount", "total", "subtotal", "amount_due", "amount_paid",
    "amount_captured", "amount_refunded", "created",
)  # fmt: skip
# Rows of an API count answers and places within them; tombstones stand above all answers.
_PLACES, _TOMBSTONES = 1_000_000, 10**15


@dataclass(frozen=True)
class Wanted:
    """What an amount rests on. by_invoice: all payments of the invoice of that id as well.

    source: where the record came from; None looks everywhere.
    """

    record_type: str
    record_id: str
    source: str | None = None
    by_invoice: bool = False


def wanted_by_touch(touch_id: str | None) -> Wanted | None:
    """The record that is a touch: `source:entity:id`, or the bare id of a touchpoint.

    None for what people recorded here: no source delivered it.
    """
    source, _, rest = (touch_id or "").partition(":")
    entity, _, record_id = rest.partition(":")
    if not touch_id or source == "control":
        return None
    if entity in _TYPES and record_id:
        return Wanted(_TYPES[entity], record_id, source)
    return Wanted("touchpoint", touch_id)


def landed_records(home: Path, wanted: Iterable[Wanted]) -> list[Record]:
    """Every landed version of these records, newest last, each with the bytes that it came from.

    Keys: record_type, record_id, source, stream, landing_id, file, line, place, part, sha256,
    state (`as recorded`, `changed`, `missing`, `pruned`), is_newest, values. line counts lines of
    the dropped file, or answers in a part of pages; place counts objects in the answer, from 1.
    Raises: LandingDamagedError.
    """
    from ingest.manifest import read_landings
    from payouts.parquet import memory_connection

    known = {each for each in wanted if each.record_type in _ENTITIES}
    names = sorted(known, key=lambda each: (each.record_type, each.record_id))
    landings = [landing for landing in read_landings(home.resolve()) if landing.is_final]
    if not names or not landings:
        return []
    connection = memory_connection()
    try:
        found = [*_in_files(connection, landings, names), *_in_pages(connection, landings, names)]
    finally:
        connection.close()
    return _located(found, {landing.arrival: landing for landing in landings})


@dataclass
class _Found:
    """One landed version. Its arrival is that of its landing."""

    record_type: str
    record_id: str
    arrival: int
    row: int
    line: int | None = None
    is_tombstone: bool = False
    values: Mapping[str, Any] = field(default_factory=dict)


def _in_files(
    connection: DuckDBPyConnection, landings: Sequence[Landing], wanted: Sequence[Wanted]
) -> Iterator[_Found]:
    from ingest.entities import ENTITIES

    for entity, columns in _file_columns(wanted).items():
        paths = entity_parts(landings, entity)
        if not paths:
            continue
        declared = ENTITIES[entity]
        shown = [each.name for each in declared.columns if not each.is_personal]
        conditions = [f"{column} in ({texts_sql(ids)})" for column, ids in columns.items()]
        for row in _rows(connection, paths, " or ".join(conditions)):
            record_type = _TYPES[entity]
            record_id = row[_ENTITIES[record_type][1]]
            if not _is_wanted(wanted, record_type, record_id, row):
                continue
            yield _Found(
                record_type,
                record_id,
                row["_arrival"],
                row["_row"],
                row["_line"],
                values={name: row[name] for name in shown if row.get(name) is not None},
            )


def _file_columns(wanted: Sequence[Wanted]) -> dict[str, dict[str, list[str]]]:
    """Entity → column → ids to look for."""
    found: dict[str, dict[str, list[str]]] = {}
    for each in wanted:
        entity, column = _ENTITIES[each.record_type]
        found.setdefault(entity, {}).setdefault(column, []).append(each.record_id)
        for other in _OF_INVOICE if each.by_invoice else ():
            found.setdefault(other, {}).setdefault("invoice_id", []).append(each.record_id)
    return found


def _is_wanted(
    wanted: Sequence[Wanted], record_type: str, record_id: str, row: Mapping[str, Any]
) -> bool:
    """Whether some wanted record is this one, also by its source where one was named."""
    return any(
        each.source in (None, row["_source"])
        and (
            (each.record_type, each.record_id) == (record_type, record_id)
            or (each.by_invoice and row.get("invoice_id") == each.record_id)
        )
        for each in wanted
    )


def _in_pages(
    connection: DuckDBPyConnection, landings: Sequence[Landing], wanted: Sequence[Wanted]
) -> Iterator[_Found]:
    """Objects of APIs: by their own id, and what names a wanted invoice or its payment."""
    relations = relation_parts(landings)
    ids = {each.record_id for each in wanted}
    invoices = {each.record_id for each in wanted if each.by_invoice}
    linked = set()
    for (kind, relation), paths in relations.items():
        if kind == "stripe" and relation in ("invoices", "invoice_payments") and invoices:
            linked |= _payment_links(connection, paths, relation, invoices)
    for (kind, relation), paths in relations.items():
        condition = _by_id(ids)
        if kind == "stripe" and relation in _STRIPE_OF_INVOICE and invoices:
            condition += f" or {member_sql('invoice')} in ({texts_sql(invoices)})"
            if linked and relation == "charges":
                names = texts_sql(linked)
                condition += (
                    f" or object_id in ({names}) or {member_sql('payment_intent')} in ({names})"
                )
        for row in _rows(connection, paths, condition):
            record_id = row["object_id"]
            sources = {each.source for each in wanted if _names(each.record_id, record_id)}
            if sources and not sources & {None, row["_source"]}:
                continue
            yield _Found(
                relation.removesuffix("s"),
                record_id,
                row["_arrival"],
                row["_row"],
                is_tombstone=bool(row.get("is_tombstone")),
                values=_shown_values(row["payload"]),
            )


def _payment_links(
    connection: DuckDBPyConnection, paths: Sequence[Path], relation: str, invoices: set[str]
) -> set[str]:
    """Charges and payment intents that paid these invoices, in both shapes of Stripe's API."""
    if relation == "invoices":
        condition, names = f"object_id in ({texts_sql(invoices)})", ("charge", "payment_intent")
    else:
        condition = f"{member_sql('invoice')} in ({texts_sql(invoices)})"
        names = ("payment.charge", "payment.payment_intent")
    selected = ", ".join(f"{member_sql(name)} as link_{place}" for place, name in enumerate(names))
    rows = query(connection, f"select {selected} from {parts_sql(paths)} where {condition}")
    return {value for row in rows for value in row.values() if value}


def _by_id(ids: Iterable[str]) -> str:
    """By the object's own id; an API can put an address or its parent before it."""
    endings = " or ".join(
        f"ends_with(object_id, {text_sql(mark + each)})" for each in sorted(ids) for mark in "/:"
    )
    return f"object_id in ({texts_sql(ids)}) or {endings}"


def _names(wanted_id: str, object_id: str) -> bool:
    return object_id == wanted_id or object_id.endswith((f"/{wanted_id}", f":{wanted_id}"))


def _shown_values(payload: str | None) -> dict[str, Any]:
    import json

    members = json.loads(payload) if payload else {}
    return {
        name: members[name]
        for name in _SHOWN_KEYS
        if isinstance(members, dict) and isinstance(members.get(name), str | int)
    }


def _rows(connection: DuckDBPyConnection, paths: Sequence[Path], condition: str) -> list[Record]:
    return query(connection, f"select * from {parts_sql(paths)} where {condition}")


def _located(found: Iterable[_Found], landings: Mapping[int, Landing]) -> list[Record]:
    """Each version with its landing and the bytes that it was read from, newest last."""

    states: dict[Path, str] = {}
    versions = sorted(found, key=lambda each: (each.arrival, each.row))
    newest = {
        (landings[each.arrival].source, each.record_type, each.record_id): each for each in versions
    }
    rows = []
    for each in versions:
        landing = landings[each.arrival]
        part, line, place = _origin(landing, each)
        key = (landing.source, each.record_type, each.record_id)
        if part is not None and landing.directory / part.name not in states:
            states[landing.directory / part.name] = _state(landing, part)
        rows.append(
            {
                "record_type": each.record_type,
                "record_id": each.record_id,
                "source": landing.source,
                "stream": landing.stream,
                "landing_id": landing.landing_id,
                "received_at": landing.started_at,
                "file": landing.settings.get("file"),
                "line": line,
                "place": place,
                "part": part.name if part else None,
                "sha256": _sha256(part),
                "state": states[landing.directory / part.name] if part else None,
                "is_newest": newest[key] is each,
                "is_tombstone": each.is_tombstone,
                "values": dict(each.values),
            }
        )
    return rows


def _origin(landing: Landing, found: _Found) -> tuple[Part | None, int | None, int | None]:
    """The part with the bytes, the line in it, and the object's place in that line's answer."""
    if landing.kind == "files":
        received = [part for part in landing.evidence if part.role == "received"]
        return (received[0] if received else None), found.line, None
    if found.row >= _TOMBSTONES:
        # It was missing from the answers: all of them together say so.
        return None, None, None
    sequence, place = divmod(found.row, _PLACES)
    before = 0
    for part in landing.evidence:
        if part.role != "pages":
            continue
        last = (part.cursor or {}).get("sequence", before + part.rows)
        if before < sequence <= last:
            return part, sequence - before, place + 1
        before = last
    received = [part for part in landing.evidence if part.role == "received"]
    return (received[0], None, None) if received else (None, None, None)


def _sha256(part: Part | None) -> str | None:
    """Of the bytes as the source sent them; of a page, of the part that holds it."""
    if part is None:
        return None
    return part.facts.get("original_sha256") or part.sha256


def _state(landing: Landing, part: Part) -> str:
    """Whether the bytes are what was recorded when they were received."""
    from ingest.manifest import hash_file

    path = landing.directory / part.name
    if not path.is_file():
        return "pruned" if part.name in landing.pruned else "missing"
    return "as recorded" if hash_file(path) == part.sha256 else "changed"
