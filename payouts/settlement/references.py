"""Which payouts a bank means: by id, by the id's beginning, by the reference or trace that a file
gave them, or by the file they were in.

What belongs here: exported payouts by every reference that files give back. What does not: what
then follows (``planning``).

Message ids, payment ids, traces and short references are read from the exported files themselves,
each checked against its registered hash, so that this does not depend on how a writer forms them.
Where a file was purged, the batch id stands for all of its payouts.
"""

from __future__ import annotations

import csv
import io
from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice, takewhile
from pathlib import Path

from sqlalchemy import Connection, select

from payouts.files import wise
from payouts.hashing import sha256_bytes
from payouts.outcomes import ItemState
from payouts.schema import batch_states, export_files
from payouts.settlement import nacha_file, xml_tree
from payouts.settlement.outcome import SHORTEST_PREFIX, Outcome, payout_hex
from payouts.states import EXPORTED_STATES

_WISE_HEADER = ",".join(wise.COLUMNS).encode()
_WISE_REFERENCE = "paymentReference"


@dataclass(frozen=True)
class References:
    """Exported payouts by what banks give back.

    by_hex: payout id by its 32 hexadecimal digits, in their order.
    """

    by_hex: Mapping[str, str]
    by_batch: Mapping[str, tuple[str, ...]]
    by_file_id: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    by_trace: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    by_reference: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def payouts_of(self, outcome: Outcome) -> tuple[str, ...]:
        """Payout ids that an outcome may mean; none when it means no exported payout."""
        if outcome.key_kind == "batch_total":
            return self.payouts_of_file(outcome.key)
        if outcome.key_kind == "trace":
            return self.by_trace.get(outcome.key, ())
        if outcome.key_kind == "reference":
            return self.by_reference.get(outcome.key.lower(), ())
        return self.by_prefix(payout_hex(outcome.key))

    def payouts_of_file(self, key: str) -> tuple[str, ...]:
        """Payout ids of a message, of a payment of it, or of a batch."""
        return self.by_file_id.get(key) or self.by_batch.get(key, ())

    def by_prefix(self, prefix: str) -> tuple[str, ...]:
        if len(prefix) == 32:
            found = self.by_hex.get(prefix)
            return (found,) if found else ()
        if len(prefix) < SHORTEST_PREFIX:
            return ()
        first = bisect_left(self._ordered, prefix)
        meant = takewhile(
            lambda known: known.startswith(prefix), islice(self._ordered, first, None)
        )
        return tuple(self.by_hex[known] for known in meant)

    @cached_property
    def _ordered(self) -> list[str]:
        return list(self.by_hex)


def load_references(
    connection: Connection,
    home: Path,
    items: Mapping[str, ItemState],
    outcomes: Iterable[Outcome],
) -> References:
    """References of all exported payouts; exported files are read only when an outcome needs it."""
    by_batch: dict[str, list[str]] = {}
    for item in items.values():
        by_batch.setdefault(item.batch_id, []).append(item.payout_id)
    references = References(
        by_hex=dict(sorted((payout_hex(payout_id), payout_id) for payout_id in items)),
        by_batch={batch_id: tuple(found) for batch_id, found in by_batch.items()},
    )
    if not any(
        outcome.file_id or outcome.key_kind in ("batch_total", "trace", "reference")
        for outcome in outcomes
    ):
        return references
    by_file_id: dict[str, set[str]] = {}
    by_trace: dict[str, set[str]] = {}
    by_reference: dict[str, set[str]] = {}
    for batch_id, content in _exported_contents(connection, home):
        if nacha_file.is_nacha(content):
            _add_traces(content, references, by_trace)
        elif content.lstrip()[:1] == b"<":
            _add_file_ids(content, references, by_file_id)
        elif content.startswith(_WISE_HEADER):
            _add_wise_references(content, references.by_batch[batch_id], by_reference)
    return References(
        references.by_hex,
        references.by_batch,
        {key: tuple(sorted(found)) for key, found in by_file_id.items()},
        {key: tuple(sorted(found)) for key, found in by_trace.items()},
        {key: tuple(sorted(found)) for key, found in by_reference.items()},
    )


def _exported_contents(connection: Connection, home: Path) -> Iterable[tuple[str, bytes]]:
    """Batch id and bytes of each exported file that is still there as it was registered."""
    rows = connection.execute(
        select(export_files.c.batch_id, export_files.c.file_path, export_files.c.file_sha256)
        .join(batch_states, batch_states.c.batch_id == export_files.c.batch_id)
        .where(batch_states.c.state.in_(EXPORTED_STATES))
        .order_by(export_files.c.batch_id, export_files.c.part)
    )
    for row in rows:
        path = home / row.file_path
        if not path.is_file():
            continue
        content = path.read_bytes()
        if sha256_bytes(content) == row.file_sha256:
            yield row.batch_id, content


def _add_traces(content: bytes, known: References, by_trace: dict[str, set[str]]) -> None:
    for entry in nacha_file.sent_entries(content, "exported file"):
        for payout_id in known.by_prefix(payout_hex(entry.individual_id)):
            by_trace.setdefault(entry.trace, set()).add(payout_id)


def _add_wise_references(
    content: bytes, payout_ids: Iterable[str], by_reference: dict[str, set[str]]
) -> None:
    """A row names its payout by the beginning of its id, unique inside a batch."""
    rows = csv.DictReader(io.StringIO(content.decode("utf-8"), newline=""))
    written = {row[_WISE_REFERENCE].strip().lower() for row in rows} - {""}
    lengths = {len(key) for key in written}
    for payout_id in payout_ids:
        for length in lengths:
            key = payout_hex(payout_id)[:length]
            if key in written:
                by_reference.setdefault(key, set()).add(payout_id)


def _add_file_ids(content: bytes, known: References, by_file_id: dict[str, set[str]]) -> None:
    _, root = xml_tree.parse(content, "exported file")
    for message in root.children:
        message_id = message.value("GrpHdr/MsgId")
        for payment in message.all("PmtInf"):
            for transaction in payment.all("CdtTrfTxInf"):
                payout_id = known.by_hex.get(payout_hex(transaction.value("PmtId/EndToEndId")))
                for key in (message_id, payment.value("PmtInfId")):
                    if payout_id and key:
                        by_file_id.setdefault(key, set()).add(payout_id)
