"""Proof that what is stored is what was decided and posted: hashes, chains, sums.

What belongs here: the list of checks over events, register and journal, and running all of them.
What does not: repairing; a broken check says what to restore. Batches: ``verify_batches``; what
became of payouts: ``verify_settlement``; leads: ``verify_leads``; adjustments and closed periods:
``verify_periods``; disputes: ``verify_disputes``.
Source: payouts reference 4.3 (I-numbers) and 9 (T14–T16).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from payouts import events, segments
from payouts.errors import PayoutsError
from payouts.findings import Check, Evidence, Finding, named
from payouts.hashing import sha256_file
from payouts.journal_schema import check_entries, control_totals
from payouts.parquet import memory_connection, parquet_scan
from payouts.schema import events as events_table
from payouts.schema import nights
from payouts.store import Store, open_store
from payouts.verify_batches import BATCH_CHECKS
from payouts.verify_disputes import DISPUTE_CHECKS
from payouts.verify_leads import LEAD_CHECKS
from payouts.verify_periods import PERIOD_CHECKS
from payouts.verify_proposals import PROPOSAL_CHECKS
from payouts.verify_settlement import SETTLEMENT_CHECKS

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

DESIRED_RELATION = "marts.fct_commission_lines"
# Kinds that the desired state lists; the others are payouts and what becomes of them.
_DERIVED_KINDS = ("earning", "bonus", "refund", "chargeback", "reinstatement", "churn",
                  "credit_note", "correction", "ruling", "adjustment")  # fmt: skip


def verify(
    home: Path,
    *,
    store: Store | None = None,
    warehouse: DuckDBPyConnection | None = None,
    desired_relation: str = DESIRED_RELATION,
) -> list[Finding]:
    """Run every check and return all findings; writes nothing.

    store: an open one, else the home's. warehouse: DuckDB with ``desired_relation``, usually the
    published snapshot; without it the journal is not compared with the desired state.
    """
    opened = store or open_store(home)
    reader = memory_connection()
    try:
        with opened.read() as control:
            evidence = Evidence(home, control, reader, segments.records_to_judge(control))
            findings = []
            for check in (
                *JOURNAL_CHECKS,
                *BATCH_CHECKS,
                *PROPOSAL_CHECKS,
                *SETTLEMENT_CHECKS,
                *LEAD_CHECKS,
                *PERIOD_CHECKS,
                *DISPUTE_CHECKS,
            ):
                findings += _run(check, evidence)
            if warehouse is not None:
                findings += _run(partial(_desired_state, warehouse, desired_relation), evidence)
            return findings
    finally:
        reader.close()
        if store is None:
            opened.close()


def _run(check: Check, evidence: Evidence) -> list[Finding]:
    """One check; what it could not read is a finding, so that the others still run."""
    import duckdb

    function = check.func if isinstance(check, partial) else check
    name = function.__name__.strip("_")
    try:
        return list(check(evidence))
    except (PayoutsError, duckdb.Error, OSError) as error:
        return [Finding(name, False, _first_line(error))]
    except (TypeError, AttributeError, LookupError, ValueError, SQLAlchemyError) as error:
        # A row that the product cannot have written; the others are still judged.
        rows = _unreadable_events(evidence)
        where = f"event {named(rows)} holds no payload" if rows else _first_line(error)
        return [
            Finding(
                name,
                False,
                f"what is stored cannot be read ({type(error).__name__}): {where}; it was changed "
                "outside partnerledger: restore the control database from a backup",
            )
        ]


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


def _unreadable_events(evidence: Evidence) -> list[int]:
    """Numbers of events whose payload is no JSON object."""
    found = []
    for seq, payload in evidence.control.execute(
        select(events_table.c.seq, events_table.c.payload).order_by(events_table.c.seq)
    ):
        try:
            is_object = isinstance(json.loads(payload), dict)
        except ValueError:
            is_object = False
        if not is_object:
            found.append(seq)
    return found


def _event_chain(evidence: Evidence) -> Iterator[Finding]:
    head = events.check_chain(evidence.control)
    yield Finding("event_chain", True, f"{head.seq} events, head {head.hash}")


def _segment_chain(evidence: Evidence) -> Iterator[Finding]:
    segments.check_chain(evidence.segments)
    recorded = {
        event.subject: event.payload
        for event in events.of_kinds(evidence.control, ("segment_registered",))
    }
    for record in evidence.segments:
        payload = recorded.pop(f"segment:{record.segment}", {})
        if (payload.get("hash"), payload.get("sha256")) != (record.hash, record.sha256):
            yield Finding(
                "segment_chain", False, f"segment {record.segment} has no event with its hash"
            )
            return
    if recorded:
        yield Finding("segment_chain", False, f"removed from the register: {sorted(recorded)}")
        return
    head = evidence.segments[-1].hash if evidence.segments else "none"
    yield Finding("segment_chain", True, f"{len(evidence.segments)} segments, head {head}")


def _segment_files(evidence: Evidence) -> Iterator[Finding]:
    broken = 0
    for record in evidence.segments:
        path = evidence.home / record.path
        fault = None
        if not path.is_file():
            fault = "is missing"
        elif sha256_file(path) != record.sha256:
            fault = "was changed: its SHA-256 is not the registered one"
        elif control_totals(evidence.reader, parquet_scan([path])) != record.totals:
            fault = "does not add up to its registered totals"
        elif sum(total.rows for total in record.totals) != record.rows:
            fault = "has another number of rows than registered"
        if fault:
            broken += 1
            yield Finding(
                "segment_files", False, f"{record.path} {fault}; restore it from a backup"
            )
    if not broken:
        rows = sum(record.rows for record in evidence.segments)
        yield Finding("segment_files", True, f"{len(evidence.segments)} files, {rows} entries")


def _nights(evidence: Evidence) -> Iterator[Finding]:
    posted = {record.segment: record.recorded_at for record in evidence.segments}
    rows = evidence.control.execute(select(nights).order_by(nights.c.night)).all()
    stored = {
        row.night: (row.run_id, row.as_of, row.segment, row.registered_at, row.recorded_at)
        for row in rows
    }
    recorded = {}
    for event in events.of_kinds(evidence.control, ("night_posted",)):
        said = event.payload
        night = said["night"]
        # Earlier releases kept the ledger's time in the segment alone, where there was one.
        instant = said.get("recorded_at") or posted.get(said["segment"])
        recorded[night] = (
            event.subject.removeprefix("night:"), said["as_of"], said["segment"],
            event.recorded_at, instant or stored.get(night, ("",))[-1],
        )  # fmt: skip
    days = [row.as_of for row in rows]
    if stored != recorded:
        differing = {
            night for night in stored.keys() | recorded.keys()
            if stored.get(night) != recorded.get(night)
        }  # fmt: skip
        yield Finding(
            "nights", False, f"the nights do not follow from their events: {named(differing)}"
        )
    elif days != sorted(days):
        yield Finding("nights", False, "nights do not go forward (J7)")
    else:
        yield Finding("nights", True, f"{len(stored)} nights, in order")


def _entries(evidence: Evidence) -> Iterator[Finding]:
    """Ids, shapes, ordinals and pointers over the whole journal (J2, R10)."""
    paths = evidence.segment_paths
    if not paths:
        yield Finding("entries", True, "the journal is empty")
        return
    scan = parquet_scan(paths)
    check_entries(evidence.reader, scan)
    gaps, example = evidence.reader.execute(
        "select count(*), min(commission_id) from (select commission_id from "
        f"{scan} group by 1 having max(ordinal) <> count(*) or min(ordinal) <> 1 "
        "or count(distinct ordinal) <> count(*))"
    ).fetchone()
    if gaps:
        yield Finding("entries", False, f"{gaps} keys have gaps in their ordinals, as {example}")
        return
    lost, example = evidence.reader.execute(
        "with pointers as (select distinct unnest([reverses_entry_id, corrects_entry_id]) as "
        f"entry_id from {scan}) select count(*), min(entry_id) from pointers anti join "
        f"(select entry_id from {scan}) as known using (entry_id) where entry_id is not null"
    ).fetchone()
    if lost:
        yield Finding("entries", False, f"{lost} pointers lead to no entry, as {example}")
        return
    misplaced = sum(
        evidence.reader.execute(
            f"select count(*) from {parquet_scan([evidence.home / record.path])} "
            f"where segment <> {record.segment}"
        ).fetchone()[0]
        for record in evidence.segments
    )
    if misplaced:
        yield Finding("entries", False, f"{misplaced} entries name another segment than their own")
        return
    yield Finding("entries", True, "ids unique and recomputed, ordinals and pointers whole")


def _anchors(evidence: Evidence) -> Iterator[Finding]:
    """I13: manifests that left hold heads of the chain; a cut tail would lose them."""
    count = 0
    for path in sorted((evidence.home / "exports").glob("*/manifest.json")):
        try:
            anchor = json.loads(path.read_text(encoding="utf-8"))["audit_chain_head"]
            head = anchor["event"], anchor["hash"]
        except (ValueError, TypeError, LookupError):
            yield Finding(
                "anchors", False, f"exports/{path.parent.name}/{path.name} is no manifest; restore "
                "it from a backup",
            )  # fmt: skip
            return
        count += 1
        if not events.contains(evidence.control, *head):
            yield Finding(
                "anchors",
                False,
                f"{path.parent.name} was exported after event {head[0]}, which the control "
                "database no longer holds; restore it from a backup",
            )
            return
    yield Finding("anchors", True, f"{count} published anchors are in the chain")


def _desired_state(
    warehouse: DuckDBPyConnection, relation: str, evidence: Evidence
) -> Iterator[Finding]:
    """J2: after a posting the sum per key equals the desired amount."""
    paths = evidence.segment_paths
    kinds = ", ".join(f"'{kind}'" for kind in _DERIVED_KINDS)
    posted = (
        "select commission_id, sum(amount_minor) as amount_minor, sum(payout_amount_minor) as "
        f"payout_amount_minor from {parquet_scan(paths)} where entry_kind in ({kinds}) group by 1"
        if paths
        else "select null::varchar as commission_id, 0::bigint as amount_minor, 0::bigint as "
        "payout_amount_minor where false"
    )
    differing, keys, example = warehouse.execute(
        f"with posted as ({posted}), desired as (select commission_id, sum(amount_minor) as "
        "amount_minor, sum(payout_amount_minor) as payout_amount_minor "
        f"from {relation} where payout_amount_minor is not null group by 1) "
        "select count(*) filter (differs), count(*), min(commission_id) filter (differs) from "
        "(select commission_id, (coalesce(posted.amount_minor, 0), "
        "coalesce(posted.payout_amount_minor, 0)) <> (coalesce(desired.amount_minor, 0), "
        "coalesce(desired.payout_amount_minor, 0)) as differs "
        "from posted full join desired using (commission_id))"
    ).fetchone()
    if differing:
        yield Finding(
            "desired_state",
            False,
            f"{differing} of {keys} keys do not sum to {relation}, as {example}; run a night",
        )
        return
    yield Finding("desired_state", True, f"{keys} keys sum to {relation}")


JOURNAL_CHECKS: tuple[Check, ...] = (
    _event_chain,
    _segment_chain,
    _segment_files,
    _nights,
    _entries,
    _anchors,
)
