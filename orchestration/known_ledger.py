"""What the ledger said of a partner at a cut: entries, their states, balances (J3, P1, P2, B2).

Read from the registered segments, the claims of batches and the chain of events, never from a
snapshot: snapshots go, these stay. What does not belong here: where to cut (`known`), disputes
(`known_disputes`), statements (`statements`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestration.cli_common import query
from orchestration.known import Known
from orchestration.known_batches import KnownBatch, known_batches
from orchestration.landed_parts import texts_sql

if TYPE_CHECKING:
    from sqlalchemy import Connection

Record = dict[str, Any]

PAYOUT_KINDS = ("payout", "payout_return")
EARNED_KINDS = ("earning", "bonus", "adjustment")
PAID, IN_BATCH, HELD, AVAILABLE, ON_HOLD = "paid", "in_batch", "held", "available", "on_hold"
"""States of an entry: nothing else can become of one."""


@dataclass(frozen=True)
class KnownClaim:
    """What a batch claimed of an entry: the whole, but for a negative balance (P3)."""

    batch: KnownBatch
    payout_id: str
    amount_minor: int


@dataclass(frozen=True)
class Holds:
    """What was held at a cut: reasons by subject, and who a former lead had become."""

    of_line: Mapping[str, str] = field(default_factory=dict)
    of_lead: Mapping[str, str] = field(default_factory=dict)
    of_partner: Mapping[str, str] = field(default_factory=dict)
    present_lead: Mapping[str, str] = field(default_factory=dict)

    def lead_now(self, lead_id: str | None) -> str | None:
        """The id that a lead had at the cut."""
        seen = set()
        while lead_id in self.present_lead and lead_id not in seen:
            seen.add(lead_id)
            lead_id = self.present_lead[lead_id]
        return lead_id


def known_entries(
    connection: Connection, home: Path, known: Known, partner_id: str | None = None
) -> list[Record]:
    """The entries that were recorded, in order of segment and id; of one partner if given.

    Raises: ChainBrokenError when a registered file is missing.
    """
    if partner_id is None:
        return _recorded(connection, home, known)
    return _recorded(connection, home, known, "where partner_id = ?", [partner_id])


def known_keys(
    connection: Connection, home: Path, known: Known, commission_ids: Iterable[str]
) -> list[Record]:
    """The entries that were recorded under these commission ids, of whichever partner.

    Raises: as `known_entries`.
    """
    wanted = texts_sql(set(commission_ids))
    return _recorded(connection, home, known, f"where commission_id in ({wanted})")


def _recorded(
    connection: Connection, home: Path, known: Known, where: str = "", values: Sequence[Any] = ()
) -> list[Record]:
    from payouts import segments
    from payouts.parquet import memory_connection, parquet_scan

    recorded = [row for row in segments.records(connection) if row.segment <= known.segment]
    paths = segments.existing_paths(home, recorded)
    if not paths:
        return []
    reader = memory_connection()
    try:
        return query(
            reader,
            f"select * from {parquet_scan(paths)} {where} order by segment, entry_id",
            values,
        )
    finally:
        reader.close()


def known_claims(
    connection: Connection, home: Path, known: Known, partner_id: str
) -> dict[str, list[KnownClaim]]:
    """The batches that held or had paid each entry of a partner, or parts of it (P3)."""
    from payouts.claims import claims_path, claims_scan
    from payouts.parquet import memory_connection
    from payouts.states import CLAIMING_STATES

    batches = {
        batch.summary.batch_id: batch
        for batch in known_batches(connection, known)
        if batch.summary.state in CLAIMING_STATES
    }
    if not batches:
        return {}
    reader = memory_connection()
    try:
        paths = [claims_path(home, batch_id) for batch_id in sorted(batches)]
        rows = query(
            reader,
            "select entry_id, batch_id, payout_id, payout_amount_minor from "
            f"{claims_scan(paths)} where partner_id = ? order by batch_id",
            [partner_id],
        )
    finally:
        reader.close()
    found: dict[str, list[KnownClaim]] = defaultdict(list)
    for row in rows:
        claim = KnownClaim(batches[row["batch_id"]], row["payout_id"], row["payout_amount_minor"])
        found[row["entry_id"]].append(claim)
    return dict(found)


def known_holds(connection: Connection, known: Known) -> Holds:
    """Holds on lines, leads and partners that were open."""
    from payouts import events

    opened: dict[str, Any] = {}
    for event in events.of_kinds(connection, ("hold_opened", "hold_released")):
        if event.seq > known.event:
            break
        if event.kind == "hold_opened":
            opened[event.subject] = event
        else:
            opened.pop(event.subject, None)
    joins = {
        former: present
        for event in events.of_kinds(connection, ("leads_joined",))
        if event.seq <= known.event
        for former, present in event.payload["joins"]
    }
    found: dict[str, dict[str, str]] = defaultdict(dict)
    holds = Holds(found["line"], found["lead"], found["partner"], joins)
    for event in opened.values():
        subject_type, subject = event.payload["subject_type"], event.payload["subject_id"]
        if subject_type == "lead":
            subject = holds.lead_now(subject)
        found[subject_type].setdefault(subject, event.reason)
    return holds


def with_states(
    entries: list[Record],
    known: Known,
    claims: Mapping[str, Sequence[KnownClaim]],
    holds: Holds,
    disputed: Iterable[str] = (),
) -> list[Record]:
    """Entries with `state`, `hold_reason`, `batch_id`, `payout_id` and `pay_date` of the cut.

    entries: all of a partner's. An entry that batches claimed bit by bit is a row per part.
    disputed: commission ids that an open dispute makes not payable.
    """
    from payouts.states import LIVE_STATES

    reasons = _hold_reasons(entries, holds, set(disputed))
    rows = []
    for entry in entries:
        own = claims.get(entry["entry_id"], ())
        reason = reasons.get(entry["entry_id"])
        for claim in own:
            batch = claim.batch.summary
            state = IN_BATCH if batch.state in LIVE_STATES else PAID
            rows.append(_part(entry, claim.amount_minor, state, reason, claim))
        rest = entry["payout_amount_minor"] - sum(claim.amount_minor for claim in own)
        if own and rest == 0:
            continue
        if entry["entry_kind"] == "payout":
            state = PAID
        elif reason is not None:
            state = HELD
        else:
            state = AVAILABLE if entry["available_date"] <= known.day else ON_HOLD
        rows.append(_part(entry, rest, state, reason, None))
    return rows


def _part(
    entry: Record, amount_minor: int, state: str, reason: str | None, claim: KnownClaim | None
) -> Record:
    return {
        **entry,
        "payout_amount_minor": amount_minor,
        "state": state,
        "hold_reason": reason,
        "batch_id": claim.batch.summary.batch_id if claim else None,
        "payout_id": claim.payout_id if claim else None,
        "pay_date": claim.batch.summary.pay_date if claim else None,
    }


def balances(entries: list[Record]) -> list[Record]:
    """The columns of marts.fct_partner_balances, per payout currency, of entries with states."""
    of_key: dict[str, int] = defaultdict(int)
    for entry in entries:
        of_key[entry["commission_id"]] += entry["payout_amount_minor"]
    negative = _of_negative_keys(entries)
    sums: dict[str, dict[str, int]] = {}
    for entry in entries:
        names = ("earned", "reversed", "on_hold", "available", "in_batch", "paid", "balance")
        row = sums.setdefault(entry["payout_currency_code"], dict.fromkeys(names, 0))
        amount = entry["payout_amount_minor"]
        row["balance"] += amount
        if entry["entry_kind"] in PAYOUT_KINDS:
            row["paid"] += amount
        else:
            row["earned" if _is_earned(entry, negative, of_key) else "reversed"] += amount
        place = {HELD: "on_hold", ON_HOLD: "on_hold", AVAILABLE: "available"}.get(entry["state"])
        place = "in_batch" if entry["state"] == IN_BATCH else place
        if place:
            row[place] += amount
    return [
        {
            "payout_currency_code": currency,
            **{f"{name}_amount_minor": amount for name, amount in sums[currency].items()},
        }
        for currency in sorted(sums)
    ]


def _of_negative_keys(entries: list[Record]) -> set[str]:
    """Entries of negative earnings: the first of the key is; a later one may be a difference."""
    keys = {
        entry["commission_id"]
        for entry in entries
        if entry["entry_kind"] == "earning"
        and entry["ordinal"] == 1
        and entry["payout_amount_minor"] < 0
    }
    return {entry["entry_id"] for entry in entries if entry["commission_id"] in keys}


def _is_earned(entry: Record, negative: Collection[str], of_key: Mapping[str, int]) -> bool:
    """Whether an entry counts as earned: also what gives back a negative earning, and a ruling
    that adds to what a partner had."""
    if entry["entry_kind"] in EARNED_KINDS:
        return True
    if entry["entry_kind"] == "ruling" and of_key[entry["commission_id"]] > 0:
        return True
    return entry["reverses_entry_id"] in negative


def _hold_reasons(entries: list[Record], holds: Holds, disputed: set[str]) -> dict[str, str]:
    """Why each entry was not payable; a reversal waits with what it reverses (R10)."""
    own = {}
    for entry in entries:
        if entry["entry_kind"] == "payout":
            continue
        lead = holds.of_lead.get(holds.lead_now(entry["lead_id"]) or "")
        line = holds.of_line.get(entry["commission_id"])
        partner = holds.of_partner.get(entry["partner_id"])
        if entry["commission_id"] in disputed:
            own[entry["entry_id"]] = "dispute_open"
        elif line is not None:
            own[entry["entry_id"]] = f"line_hold: {line}"
        elif lead is not None:
            own[entry["entry_id"]] = f"lead_hold: {lead}"
        elif partner is not None:
            own[entry["entry_id"]] = f"partner_hold: {partner}"
    following = {
        entry["entry_id"]: own[entry["reverses_entry_id"]]
        for entry in entries
        if entry["reverses_entry_id"] in own and entry["entry_id"] not in own
    }
    return own | following
