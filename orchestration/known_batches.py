"""Batches as they stood at a cut through the chain of events (B2, P5).

Content, items and who was left out never change once proposed; a batch's state follows from its
events up to the cut. What does not belong here: where to cut (`known`), printing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from orchestration.cli_common import CommandError
from orchestration.known import Known

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from payouts.records import BatchDetail, BatchSummary
    from payouts.states import BatchState


@dataclass(frozen=True)
class KnownBatch:
    """One batch with the state that its events up to the cut add up to."""

    summary: BatchSummary
    state: BatchState


def known_batches(connection: Connection, known: Known) -> list[KnownBatch]:
    """Batches that had been proposed, newest cut-off first."""
    from payouts import events
    from payouts.records import list_batches, subject
    from payouts.states import BATCH_EVENT_KINDS, fold

    of_batch: dict[str, list] = {}
    for event in events.of_kinds(connection, BATCH_EVENT_KINDS):
        if event.seq <= known.event:
            of_batch.setdefault(event.subject, []).append(event)
    found = []
    for summary in list_batches(connection):
        happened = of_batch.get(subject(summary.batch_id))
        if happened:
            state = fold(happened)
            found.append(KnownBatch(replace(summary, state=state.state), state))
    return found


def show_known(connection: Connection, batch_id: str, known: Known) -> BatchDetail:
    """One batch with everything that had been decided about it.

    Raises: BatchNotFoundError; CommandError where it had not been proposed yet.
    """
    from payouts.records import show

    detail = show(connection, batch_id)
    for batch in known_batches(connection, known):
        if batch.summary.batch_id == batch_id:
            events = tuple(event for event in detail.events if event.seq <= known.event)
            return replace(detail, summary=batch.summary, state=batch.state, events=events)
    raise CommandError(
        f"batch {batch_id} had not been proposed as known on {known.asked}",
        "`partnerledger batches list --as-known` shows those that had.",
    )
