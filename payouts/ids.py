"""Deterministic ids: the same facts give the same id on any machine, in Python and in SQL.

What belongs here: namespaces, natural keys and the uuid5 built from them.
What does not: counting ordinals; the models do that from the registered journal.
Rule: J2 (semantics.md).
"""

from __future__ import annotations

import uuid
from datetime import date

NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "https://partnerledger.dev/journal")
KEY_SEPARATOR = chr(31)  # the unit separator: cannot appear in an id that came from a file
KEY_COLUMNS = (
    "entry_kind",
    "component_id",
    "source_type",
    "source_id",
    "partner_id",
    "cause_type",
    "cause_id",
)


def natural_key(
    entry_kind: str,
    component_id: str,
    source_type: str,
    source_id: str,
    partner_id: str,
    cause_type: str,
    cause_id: str,
) -> str:
    """Natural key of J2 as text: the seven parts joined by the unit separator; empty, never None.

    Raises: ValueError when a part contains the separator, which would make two keys equal.
    """
    parts = (entry_kind, component_id, source_type, source_id, partner_id, cause_type, cause_id)
    if any(KEY_SEPARATOR in part for part in parts):
        raise ValueError(f"a part of the key {parts} contains the unit separator; correct the id")
    return KEY_SEPARATOR.join(parts)


def commission_id(key: str) -> str:
    """Id shared by all entries of one natural key."""
    return str(uuid.uuid5(NAMESPACE, key))


def entry_id(key: str, ordinal: int) -> str:
    """Id of one entry; ``ordinal`` counts 1, 2, 3… per key over all segments."""
    return str(uuid.uuid5(NAMESPACE, f"{key}{KEY_SEPARATOR}{ordinal}"))


def uuid5_sql(text_expression: str) -> str:
    """DuckDB expression that equals ``uuid5(NAMESPACE, text)`` as text.

    uuid5 is SHA-1 of namespace bytes and name, with version and variant bits set (RFC 9562, 5.5).
    """
    digest = f"sha1(unhex('{NAMESPACE.hex}') || encode({text_expression}))"
    variant = f"substr('89ab', (('0x' || substr({digest}, 17, 1))::integer & 3) + 1, 1)"
    return (
        f"substr({digest}, 1, 8) || '-' || substr({digest}, 9, 4) || '-5' || "
        f"substr({digest}, 14, 3) || '-' || {variant} || substr({digest}, 18, 3) || '-' || "
        f"substr({digest}, 21, 12)"
    )


def batch_id(
    legal_entity: str, currency_code: str, rail: str, cutoff_date: date, version: int
) -> str:
    """Readable, unique batch id such as ``b-20260228-USD-csv-1-3f2a9c01``.

    The version makes a rebuild after a rejection a different batch even when its content is the
    same (payouts reference 4.1). The tail is the start of a uuid5 over all five parts, because
    the legal entity is not in the readable part. Only letters, digits and hyphens: it names files.
    """
    parts = ("batch", legal_entity, currency_code, rail, cutoff_date.isoformat(), str(version))
    tail = uuid.uuid5(NAMESPACE, KEY_SEPARATOR.join(parts)).hex[:8]
    return f"b-{cutoff_date:%Y%m%d}-{currency_code}-{rail}-{version}-{tail}"


def payout_id(scope: str, partner_id: str) -> str:
    """Id of one partner's payout in a batch (``scope`` = batch id) or left out of a proposal."""
    return str(uuid.uuid5(NAMESPACE, KEY_SEPARATOR.join(("payout", scope, partner_id))))


def proposal_id(
    legal_entity: str,
    currency_code: str,
    rail: str,
    pay_date: date,
    cutoff_date: date,
    ordinal: int,
) -> str:
    """Id of the ``ordinal``-th proposal of one group for one pay date."""
    parts = ("proposal", legal_entity, currency_code, rail, pay_date.isoformat(),
             cutoff_date.isoformat(), str(ordinal))  # fmt: skip
    return str(uuid.uuid5(NAMESPACE, KEY_SEPARATOR.join(parts)))
