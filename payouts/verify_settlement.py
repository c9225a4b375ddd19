"""Proof that outcomes of payouts are what was read, and that each return is posted exactly once.

What belongs here: checks on settlement and aborts. What does not: batches and exports themselves
(``verify_batches``). Source: payouts reference 4.3: I17, I19.
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import select

from payouts import events, outcomes
from payouts.errors import PayoutsError
from payouts.findings import Check, Evidence, Finding, named
from payouts.lead_rows import event_id, row_sha256
from payouts.outcome_rows import rows_by_event, rows_sha256
from payouts.outcomes import all_item_states
from payouts.parquet import parquet_scan
from payouts.payout_entries import ENTRY_KIND as PAYOUT
from payouts.records import list_batches, subject
from payouts.return_entries import ENTRY_KIND, PayoutReturn
from payouts.settlement.applying import SETTLEMENTS
from payouts.states import ABORTED, CLOSED, EXPORTED_STATES, SENT

_OUTCOME_EVENTS = ("batch_outcomes", "batch_aborted")


def _finding(check: str, faults: list[str], proved: str) -> Finding:
    return Finding(check, not faults, "; ".join(faults) if faults else proved)


def _settlement_files(evidence: Evidence) -> Iterator[Finding]:
    """Every file that was read is registered once, as its event proves."""
    faults = []
    proved = {event.seq: event for event in events.of_kinds(evidence.control, (SETTLEMENTS.kind,))}
    rows = evidence.control.execute(select(SETTLEMENTS.table)).mappings().all()
    unproved = {row["seq"] for row in rows} ^ proved.keys()
    if unproved:
        faults.append(
            f"files that were read and their events are not the same set: events {named(unproved)}"
        )
    for row in rows:
        event = proved.get(row["seq"])
        if event is not None and (
            row_sha256(SETTLEMENTS, row) != event.payload["row_sha256"]
            or row["settlement_id"] != event_id(SETTLEMENTS.prefix, event.hash)
        ):
            faults.append(
                f"the record of settlement file {row['settlement_id']} (event {row['seq']}) was "
                "changed"
            )
    yield _finding("settlement_files", faults, f"{len(rows)} files read, as their events say")


def _outcomes(evidence: Evidence) -> Iterator[Finding]:
    """Outcome rows are exactly those that their events prove, about payouts of their batch."""
    faults = []
    proved = {event.seq: event for event in events.of_kinds(evidence.control, _OUTCOME_EVENTS)}
    rows = rows_by_event(evidence.control)
    if rows.keys() != proved.keys():
        differing = rows.keys() ^ proved.keys()
        faults.append(
            f"outcomes of payouts and their events are not the same set: events {named(differing)}"
        )
    for seq, found in rows.items():
        event = proved.get(seq)
        if event is None:
            continue
        if rows_sha256(found) != event.payload["rows_sha256"]:
            faults.append(f"the outcomes of event {seq} are not what it proves")
        if {subject(row["batch_id"]) for row in found} != {event.subject}:
            faults.append(f"event {seq} has outcomes of another batch")
    total = sum(len(found) for found in rows.values())
    yield _finding("outcomes", faults, f"{total} outcomes, as their events say")


def _item_states(evidence: Evidence) -> Iterator[Finding]:
    """Every state is reachable, and a batch is closed exactly when all its payouts have ended."""
    try:
        items = all_item_states(evidence.control)
    except PayoutsError as error:
        yield Finding("item_states", False, str(error))
        return
    faults = []
    by_batch: dict[str, list[outcomes.ItemState]] = {}
    for item in items.values():
        by_batch.setdefault(item.batch_id, []).append(item)
    for summary in list_batches(evidence.control, EXPORTED_STATES):
        found = by_batch.get(summary.batch_id, [])
        is_ended = all(item.is_terminal for item in found)
        is_aborted = {item.state for item in found} == {outcomes.ABORTED}
        if (summary.state == CLOSED and not is_ended) or (summary.state == SENT and is_ended):
            faults.append(f"batch {summary.batch_id} is {summary.state}, its payouts say otherwise")
        if (summary.state == ABORTED) != is_aborted:
            faults.append(f"batch {summary.batch_id} and its payouts do not agree on the abort")
    yield _finding("item_states", faults, f"{len(items)} exported payouts, every state reachable")


def _returns(evidence: Evidence) -> Iterator[Finding]:
    """I17: one entry puts each failed, returned or aborted payout back, and there is no other."""
    wanted = sorted(
        _expected_entry(item)
        for item in all_item_states(evidence.control).values()
        if item.state in outcomes.GIVEN_BACK_STATES
    )
    paths = evidence.segment_paths
    posted = (
        evidence.reader.execute(
            "select source_id, partner_id, cause_id, payout_amount_minor, payout_currency_code, "
            f"entry_id, coalesce(reverses_entry_id, '') from {parquet_scan(paths)} "
            f"where entry_kind = '{ENTRY_KIND}' order by all"
        ).fetchall()
        if paths
        else []
    )
    faults = []
    if posted != wanted:
        differing = {row[0] for row in set(posted) ^ set(wanted)} or {row[0] for row in posted}
        faults.append(
            "return entries are not the payouts that failed, came back or were aborted: payouts "
            f"{named(differing)}"
        )
    faults += _unlike_their_payouts(evidence) if paths else []
    recorded = {
        item.return_entry_id
        for item in all_item_states(evidence.control).values()
        if item.return_entry_id
    }
    if recorded != {row[5] for row in posted}:
        faults.append(
            "outcomes name other return entries than were posted: "
            f"{named(recorded ^ {row[5] for row in posted})}"
        )
    yield _finding("returns", faults, f"{len(posted)} payouts put back, once each (I17)")


def _unlike_their_payouts(evidence: Evidence) -> list[str]:
    """Returns that do not put back what the payout entry that they reverse took."""
    scan = parquet_scan(evidence.segment_paths)
    found = evidence.reader.execute(
        f"select back.entry_id from (from {scan} where entry_kind = '{ENTRY_KIND}') as back "
        f"left join (from {scan} where entry_kind = '{PAYOUT}') as paid "
        "on paid.entry_id = back.reverses_entry_id where (back.partner_id, "
        "back.payout_currency_code, back.currency_code, back.payout_amount_minor) is distinct from "
        "(paid.partner_id, paid.payout_currency_code, paid.currency_code, "
        "-paid.payout_amount_minor)"
    ).fetchall()
    if not found:
        return []
    ids = named(entry_id for (entry_id,) in found)
    return [f"return entries are not of what their payouts took: {ids}"]


def _expected_entry(item: outcomes.ItemState) -> tuple:
    from payouts.ids import entry_id
    from payouts.payout_entries import payout_key

    entry = PayoutReturn(
        item.payout_id, item.partner_id, item.batch_id, item.amount_minor, item.currency_code,
        # Neither date nor evidence is part of the entry's id.
        effective_date=item.changed_date, outcome=item.state, reason_code=None, evidence_sha256="",
    )  # fmt: skip
    reversed_id = entry_id(payout_key(item.payout_id, item.partner_id, item.batch_id), 1)
    return (
        item.payout_id, item.partner_id, item.payout_id, item.amount_minor, item.currency_code,
        entry.entry_id, reversed_id,
    )  # fmt: skip


def _settled_amounts(evidence: Evidence) -> Iterator[Finding]:
    """I19: no payout settles twice or by another amount than was exported."""
    items = all_item_states(evidence.control)
    faults, settled = [], set()
    for rows in rows_by_event(evidence.control).values():
        for row in rows:
            item = items[row["payout_id"]]
            if (row["amount_minor"], row["currency_code"]) != (
                item.amount_minor,
                item.currency_code,
            ):
                faults.append(f"payout {item.payout_id} has an outcome with another amount")
            if row["outcome"] == outcomes.SETTLED:
                if item.payout_id in settled:
                    faults.append(f"payout {item.payout_id} settled twice")
                settled.add(item.payout_id)
    total = sum(items[payout_id].amount_minor for payout_id in settled)
    yield _finding(
        "settled_amounts", faults, f"{len(settled)} payouts settled, {total} minor units, as sent"
    )


SETTLEMENT_CHECKS: tuple[Check, ...] = (
    _settlement_files,
    _outcomes,
    _item_states,
    _returns,
    _settled_amounts,
)
