"""Whom to tell what: pure, from facts and from what was told already.

What belongs here: keys of facts, who is told, one message per partner and run. What does not:
reading (``facts``), words (``templates/mail``), keeping the messages (``preparing``).

A key names a fact and its reader, such as ``lead_stage_changed|p_4|lead_1|demo_held``: what was
told once is never told again, however often this runs.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from dashboards.notices.facts import Decided, Published, Record
from dashboards.notices.kinds import (
    COMMISSION_HELD,
    COMMISSION_TAKEN_BACK,
    DIGEST,
    LEAD_STAGE_CHANGED,
    NEEDED_KINDS,
    NEWS_KINDS,
    NEWS_LASTS,
    PAYOUT_FAILED,
    PAYOUT_SCHEDULED,
    PAYOUT_SENT,
    UPDATE_REQUESTED,
    WEEKLY_STATEMENT,
)

MAIL, WEBHOOK = "mail", "webhook"
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
# One mail names so many facts of a kind; the portal shows all.
SHOWN_ITEMS = 20
_PAYOUT_KINDS = {
    "exported": PAYOUT_SCHEDULED,
    "sent": PAYOUT_SENT,
    "unclaimed": PAYOUT_SENT,
    "settled": PAYOUT_SENT,
    "failed": PAYOUT_FAILED,
    "returned": PAYOUT_FAILED,
    "aborted": PAYOUT_FAILED,
}


@dataclass(frozen=True)
class News:
    """One fact that a partner may be told. ``item``: what the template shows of it, JSON values."""

    key: str
    kind: str
    partner_id: str
    item: Record


@dataclass(frozen=True)
class Notice:
    """One message to be kept for sending.

    told: keys that it tells. segment: of a statement, the last one that it covers.
    """

    kind: str
    subject_ref: str
    channel: str
    recipient: str
    payload: Record
    expires_at: datetime
    told: tuple[str, ...]
    segment: int | None = None


@dataclass(frozen=True)
class Due:
    """What to tell now. without_address: partners that could not be told; they are, once they can.

    Nothing of what they were not told is kept as told. unwanted: keys of news that nobody is told
    because the partner wants less; they are no news later. week: key of the week whose statements
    these are; None when none were made.
    """

    notices: tuple[Notice, ...] = ()
    without_address: tuple[str, ...] = ()
    unwanted: tuple[str, ...] = ()
    week: str | None = None


def news(published: Published, decided: Decided) -> list[News]:
    """Every fact that partners could be told now, told or not, in the order of a digest."""
    found = [
        *_lead_stages(published),
        *_update_requests(published, decided.asked),
        *_commissions(published.held, COMMISSION_HELD, "effective_date", "reason"),
        *_commissions(published.taken_back, COMMISSION_TAKEN_BACK, "effective_date"),
        *_payouts(decided),
    ]
    known = [each for each in found if each.partner_id in published.partners]
    return sorted(known, key=lambda each: NEWS_KINDS.index(each.kind))


def due_notices(
    told: Collection[str],
    published: Published,
    decided: Decided,
    *,
    now: datetime,
    weekly_statement: str,
    since: date,
) -> Due:
    """Messages to partners. Pure: the same facts and the same ``told`` give the same messages.

    told: keys that were told already, among those of ``news`` and the ``week_key``.
    weekly_statement: as in program.yml. since: last day of the night in which notices were
    switched on: no statement covers a week that had ended by then. now: naive UTC.
    """
    by_partner: dict[str, list[News]] = defaultdict(list)
    unwanted = []
    for each in news(published, decided):
        if each.key in told:
            continue
        if each.kind in NEEDED_KINDS or each.partner_id not in decided.wanting_less:
            by_partner[each.partner_id].append(each)
        else:
            unwanted.append(each.key)
    week = week_key(published.as_of, weekly_statement, since)
    statements = _statements(published, weekly_statement) if week and week not in told else {}
    # Whoever wants them again is told then what moved since the last one.
    for partner_id in decided.wanting_less:
        statements.pop(partner_id, None)
    notices: list[Notice] = []
    for partner_id in sorted(by_partner):
        for address in decided.addresses.get(partner_id, ()):
            notices.append(_letter(published, partner_id, by_partner[partner_id], address, now))
    for partner_id, payload in statements.items():
        key = statement_key(partner_id, date.fromisoformat(payload["week_end"]))
        for address in decided.addresses.get(partner_id, ()):
            notices.append(
                Notice(WEEKLY_STATEMENT, key, MAIL, address, payload, now + NEWS_LASTS, (key,),
                       published.segment)
            )  # fmt: skip
    silent = {*by_partner, *statements} - {
        partner_id for partner_id, addresses in decided.addresses.items() if addresses
    }
    return Due(tuple(notices), tuple(sorted(silent)), tuple(unwanted), week)


def week_end(as_of: date, weekly_statement: str) -> date | None:
    """The last day of the newest whole week; None when statements are off.

    A statement of monday covers seven days up to Sunday.
    """
    if weekly_statement not in WEEKDAYS:
        return None
    last_weekday = (WEEKDAYS.index(weekly_statement) - 1) % 7
    return as_of - timedelta(days=(as_of.weekday() - last_weekday) % 7)


def statement_key(partner_id: str, end: date) -> str:
    """The key of one partner's statement of one week, by the ISO week of its last day."""
    return f"{WEEKLY_STATEMENT}|{partner_id}|{_iso_week(end)}"


def week_key(as_of: date, weekly_statement: str, since: date) -> str | None:
    """The key of the week whose statements are due; they are made in the first night after it.

    None when statements are off, and for a week that had ended when notices were switched on.
    """
    end = week_end(as_of, weekly_statement)
    if end is None or end <= since:
        return None
    return f"{WEEKLY_STATEMENT}s_made|{_iso_week(end)}"


def _iso_week(end: date) -> str:
    year, week, _ = end.isocalendar()
    return f"{year}-W{week:02d}"


def _statements(published: Published, weekly_statement: str) -> dict[str, Record]:
    """Payloads by partner, of those for whom something moved since their last statement."""
    end = week_end(published.as_of, weekly_statement)
    found: dict[str, Record] = {}
    for row in published.statement_sums:
        partner_id = row["partner_id"]
        if end is None or partner_id not in published.partners:
            continue
        payload = found.setdefault(
            partner_id,
            {
                "partner_id": partner_id,
                "partner_name": published.partners[partner_id],
                "week_end": end.isoformat(),
                "as_of": published.as_of.isoformat(),
                "currencies": [],
            },
        )
        payload["currencies"].append(
            {name: value for name, value in row.items() if name != "partner_id"}
        )
    return found


def _letter(
    published: Published, partner_id: str, untold: Sequence[News], address: str, now: datetime
) -> Notice:
    """One mail about all that is new: of its kind, or a digest of several kinds."""
    sections = []
    for kind in NEWS_KINDS:
        items = _newest_per_lead([each.item for each in untold if each.kind == kind], kind)
        if items:
            sections.append(
                {
                    "kind": kind,
                    "count": len(items),
                    "items": items[:SHOWN_ITEMS],
                    "totals": _totals(items),
                }
            )
    keys = tuple(sorted(each.key for each in untold))
    digest = hashlib.sha256("\n".join(keys).encode("utf-8")).hexdigest()[:24]
    kind = sections[0]["kind"] if len(sections) == 1 else DIGEST
    payload = {
        "partner_id": partner_id,
        "partner_name": published.partners[partner_id],
        "as_of": published.as_of.isoformat(),
        "sections": sections,
    }
    subject_ref = f"partner:{partner_id}:{digest}"
    return Notice(kind, subject_ref, MAIL, address, payload, now + NEWS_LASTS, keys)


def _newest_per_lead(items: list[Record], kind: str) -> list[Record]:
    """Of a lead that went through several stages at once, the last one is the news."""
    if kind != LEAD_STAGE_CHANGED:
        return items
    newest: dict[str, Record] = {}
    for item in sorted(items, key=lambda each: each["reached_at"]):
        newest[item["lead_id"]] = item
    return list(newest.values())


def _totals(items: Sequence[Record]) -> list[Record]:
    """Sums per currency of items that have amounts (M1: never over currencies)."""
    sums: dict[str, int] = defaultdict(int)
    for item in items:
        if "amount_minor" in item:
            sums[item["currency_code"]] += item["amount_minor"]
    return [{"currency_code": code, "amount_minor": sums[code]} for code in sorted(sums)]


def _lead_stages(published: Published) -> Iterator[News]:
    for row in published.lead_stages:
        for partner_id, customer in published.audience.get(row["lead_id"], ()):
            yield News(
                _key(LEAD_STAGE_CHANGED, partner_id, row["lead_id"], row["stage"]),
                LEAD_STAGE_CHANGED,
                partner_id,
                {
                    "customer": customer,
                    "lead_id": row["lead_id"],
                    "stage": row["stage"],
                    "reached_at": _text(row["reached_at"]),
                },
            )


def _update_requests(published: Published, asked: Mapping[str, str]) -> Iterator[News]:
    """A request, and each reminder of it; one that names a partner is for that one alone."""
    for row in published.update_requests:
        audience = published.audience.get(row["lead_id"], ())
        if row["request_id"] in asked:
            audience = [(asked[row["request_id"]], row["customer"])]
        for partner_id, customer in audience:
            yield News(
                _key(UPDATE_REQUESTED, partner_id, row["request_id"], str(row["reminders"] or 0)),
                UPDATE_REQUESTED,
                partner_id,
                {
                    "customer": customer,
                    "lead_id": row["lead_id"],
                    "due_at": _text(row["due_at"]),
                    "is_overdue": row["state"] == "overdue",
                },
            )


def _commissions(rows: Sequence[Record], kind: str, day: str, *more_of_key: str) -> Iterator[News]:
    for row in rows:
        names = (row["entry_id"], *(row[name] for name in more_of_key))
        yield News(
            _key(kind, row["partner_id"], *names),
            kind,
            row["partner_id"],
            {
                "customer": row["customer"],
                "reason": row["reason"],
                "amount_minor": row["amount_minor"],
                "currency_code": row["currency_code"],
                "day": _text(row[day]),
            },
        )


def _payouts(decided: Decided) -> Iterator[News]:
    for row in decided.payouts:
        kind = _PAYOUT_KINDS[row["state"]]
        yield News(
            _key(kind, row["partner_id"], row["payout_id"]),
            kind,
            row["partner_id"],
            {
                "payout_id": row["payout_id"],
                "amount_minor": row["amount_minor"],
                "currency_code": row["currency_code"],
                "state": row["state"],
                "day": _text(row["settled_date"] or row["pay_date"]),
            },
        )


def _key(*parts: str) -> str:
    return "|".join(parts)


def _text(value: date | datetime | None) -> str | None:
    return value.isoformat() if value is not None else None


def totals_of(rows: Sequence[Mapping[str, Any]], amount: str) -> list[Record]:
    """Sums per currency of rows with ``currency_code``; the amount is the column named."""
    return _totals(
        [{"currency_code": row["currency_code"], "amount_minor": row[amount]} for row in rows]
    )
