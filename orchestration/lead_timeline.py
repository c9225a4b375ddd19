"""What happened to one lead, in the order of time: pure over the records of `lead_records`.

What belongs here: turning each record into events that people can read one after the other. What
does not: finding the records, and printing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from orchestration.cli_common import minute, money

Record = dict[str, Any]

# At one instant causes stand before what follows from them: the touch that a form is, its verdict,
# the stage that made the lead valid, who was credited, who was not, what was earned.
_ORDER = (
    "touch", "submission", "registration", "stage", "valid", "ruling", "attribution", "lost",
    "request", "answer", "message", "earning",
)  # fmt: skip
_PARTS_PER_PERCENT = Decimal(10_000)


def timeline(evidence: Record) -> list[Record]:
    """Every event of a lead, oldest first.

    evidence: as `lead_records.lead_evidence` returns it, with or without the sections that
    `lead_control` adds; a section that is missing or None has no events. Returns records with
    `at` (naive UTC instant), `kind`, `partner_id` or None, `record` (the id behind it) and `text`.
    """
    sources = (
        _touches, _submissions, _stages, _validity, _decisions, _attribution, _losers, _requests,
        _messages, _first_earning,
    )  # fmt: skip
    events = [event for source in sources for event in source(evidence)]
    return sorted(events, key=_position)


def percent(credit_ppm: int) -> str:
    """Parts per million as people write a share: `60 %`, `33.3333 %`; exact, never rounded."""
    shown = f"{Decimal(credit_ppm) / _PARTS_PER_PERCENT:f}"
    return f"{shown.rstrip('0').rstrip('.') if '.' in shown else shown} %"


def credits_text(credits: Mapping[str, int]) -> str:
    """Parts per million by partner as `p_1 60 %, p_2 40 %`; `nobody` when nobody is credited."""
    return ", ".join(f"{who} {percent(share)}" for who, share in credits.items()) or "nobody"


def why_lost(candidate: Record) -> str:
    """Why a candidate was not credited: the sentence of the snapshot, else the rule and the rival.

    candidate: a row of marts.fct_attribution_candidates; older snapshots have no sentence.
    """
    if candidate.get("why"):
        return candidate["why"]
    rival = candidate.get("lost_to")
    return f"{candidate['rule']}{f', lost to {rival}' if rival else ''}"


def _position(event: Record) -> tuple:
    group = event["kind"].partition("_")[0]
    return event["at"], _ORDER.index(group), event["kind"], event["record"] or "", event["text"]


def _event(
    at: datetime | date, kind: str, text: str, record: str | None, partner_id: str | None = None
) -> Record:
    # A date stands for its midnight: a day on which something was earned has no time.
    instant = at if isinstance(at, datetime) else datetime.combine(at, time())
    return {
        "at": instant, "kind": kind, "partner_id": partner_id, "record": record, "text": text,
    }  # fmt: skip


def _rows(evidence: Record, name: str) -> list[Record]:
    return evidence.get(name) or []


def _words(name: str) -> str:
    return name.replace("_", " ")


def _touches(evidence: Record) -> Iterator[Record]:
    # A form or a registration is a touch and a submission in one: it is told once, with a verdict.
    told = {row["submission_key"] for row in _rows(evidence, "submissions")}
    for row in _rows(evidence, "touches"):
        if row["touchpoint_id"] not in told:
            nobody = "" if row["partner_id"] else ", of nobody that the programme knows"
            yield _event(
                row["occurred_at"],
                "touch",
                f"touch: {_words(row['touch_type'])}{nobody}",
                row["touchpoint_id"],
                row["partner_id"],
            )


def _submissions(evidence: Record) -> Iterator[Record]:
    for row in _rows(evidence, "submissions"):
        kind = _words(row.get("submission_type") or "submission")
        rival = f", because of {row['rival_key']}" if row["rival_key"] else ""
        until = row.get("protected_until_at")
        is_protecting = until is not None and row["verdict"] in ("valid", "pending")
        yield _event(
            row["submitted_at"],
            "submission",
            f"{kind}: {_words(row['verdict'])} ({row['rule']}){rival}"
            f"{f'; protected until {minute(until)}' if is_protecting else ''}",
            row["submission_key"],
            row["partner_id"],
        )


def _stages(evidence: Record) -> Iterator[Record]:
    for row in _rows(evidence, "stages"):
        # Each later payment shows that stage again; the lead moved at the first alone.
        if not row["is_first"] and row["stage"] == "first_payment":
            continue
        again = "" if row["is_first"] else " again"
        owner = f", owner {row['owner']}" if row["owner"] else ""
        yield _event(
            row["reached_at"],
            "stage",
            f"{_words(row['stage'])}{again}{owner}",
            f"{row['source']}:{row['source_type']}:{row['source_id']}",
        )


def _validity(evidence: Record) -> Iterator[Record]:
    lead = evidence["lead"]
    if lead["valid_at"] is not None:
        yield _event(
            lead["valid_at"], "valid", f"the lead became valid: {lead['rule']}", lead["lead_id"]
        )


def _decisions(evidence: Record) -> Iterator[Record]:
    for row in _rows(evidence, "decisions"):
        who = f" by {row['decided_by']}" if row["decided_by"] else ""
        until = f", until {minute(row['expires_at'])}" if row["expires_at"] else ""
        because = f": {row['reason']}" if row["reason"] else ""
        proof = f" (evidence: {row['evidence']})" if row["evidence"] else ""
        whom = f", {credits_text(row['credits'])}" if "credits" in row else ""
        yield _event(
            row["decided_at"],
            f"{row['kind']}_{row['decision']}",
            f"{row['kind']} {row['decision']}{who}{whom}{until}{because}{proof}",
            row["subject_key"],
            row["partner_id"],
        )


def _attribution(evidence: Record) -> Iterator[Record]:
    for row in _rows(evidence, "attributions"):
        if row["is_paying"]:
            decided_by = row.get("decided_by") or "computed"
            held = "" if decided_by == "computed" else f", {decided_by}"
            yield _event(
                row["decided_at"],
                "attribution",
                f"credited with {percent(row['credit_ppm'])} by {_words(row['model'])}{held}",
                row["touchpoint_id"],
                row["partner_id"],
            )


def _losers(evidence: Record) -> Iterator[Record]:
    decided_at = max(
        (row["decided_at"] for row in _rows(evidence, "attributions") if row["is_paying"]),
        default=evidence["lead"]["valid_at"],
    )
    for row in _rows(evidence, "candidates"):
        if row["is_winner"]:
            continue
        # What came after the decision lost when it came: nothing loses before it exists.
        at = max(row["occurred_at"], decided_at or row["occurred_at"])
        yield _event(
            at,
            "lost",
            f"not credited for its {_words(row['touch_type'])}: {why_lost(row)}",
            row["touchpoint_id"],
            row["partner_id"],
        )


def _requests(evidence: Record) -> Iterator[Record]:
    for row in _rows(evidence, "requests"):
        of = f" of {row.get('partner_id') or 'the ' + row['asked_of']}" if row["asked_of"] else ""
        reason = " because nothing had moved" if row["reason"] == "stale" else ""
        state = "" if row["answered_at"] else f" ({row['state']})"
        text = f": {row['text']}" if row.get("text") else ""
        yield _event(
            row["asked_at"],
            "request",
            f"an update was asked{of}{reason}, due {minute(row['due_at'])}{state}{text}",
            row["request_id"],
        )
        if row["answered_at"]:
            yield _event(
                row["answered_at"], "answer", "the request was answered", row["request_id"]
            )


def _messages(evidence: Record) -> Iterator[Record]:
    for row in _rows(evidence, "messages"):
        reader = row.get("partner_id") or "the partner"
        seen = f", visible to {reader}" if row["is_partner_visible"] else ""
        yield _event(
            row["posted_at"],
            "message",
            f"{row['author_role']} wrote{seen}: {row['text']}",
            row["message_id"],
        )


def _first_earning(evidence: Record) -> Iterator[Record]:
    earned = [
        (row.get("earned_at") or datetime.combine(row["effective_date"], time()), row)
        for row in _rows(evidence, "lines")
        if row["kind"] == "earning"
    ]
    if earned:
        at, row = min(earned, key=lambda each: (each[0], each[1]["commission_id"]))
        yield _event(
            at,
            "earning",
            f"first earning: {money(row['amount_minor'], row['currency_code'])} for "
            f"{_words(row['source_type'])} {row['source_id']} ({row['component_id']})",
            row["commission_id"],
            row["partner_id"],
        )
