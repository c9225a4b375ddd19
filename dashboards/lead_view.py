"""One lead's evidence as tables of its page.

What does not belong here: reading the evidence (`Services.lead`) and forms (`pages`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from dashboards import addresses, words
from dashboards.line_words import rule_text, unpaid_text
from dashboards.registrations import is_registration
from dashboards.tables import Column, Table

Record = dict[str, Any]
_PARTNER = Column("partner_id", "Partner", href=lambda row: addresses.partner(row["partner_id"]))
WON, LOST = "Credited", "Not credited"


def share(credit_ppm: int | None) -> Decimal | None:
    """Parts per million as a fraction, exactly."""
    return None if credit_ppm is None else Decimal(credit_ppm).scaleb(-6)


def exact_percent(rate: Decimal | None) -> str:
    """A rate with every digit it has: `12.5 %`."""
    if rate is None:
        return ""
    shown = f"{rate * 100:f}"
    return f"{shown.rstrip('0').rstrip('.') if '.' in shown else shown}\N{NARROW NO-BREAK SPACE}%"


def lead_tables(evidence: Mapping[str, Any], commissions: Sequence[Record]) -> list[Table]:
    """All tables of the page; each has rows, or a sentence why it has none."""
    return [
        touches_table(evidence),
        credits_table(evidence),
        _submissions(evidence),
        _stages(evidence),
        commissions_table(commissions),
        _missed(evidence),
        _duplicates(evidence),
        _discrepancies(evidence),
        _signals(evidence),
        _decisions(evidence),
        _requests(evidence),
        _timeline(evidence),
    ]


def touches_table(evidence: Mapping[str, Any]) -> Table:
    """Every touch in order, the winner, and why each other one lost (A4)."""
    candidates = {
        (row["touchpoint_id"], row["partner_id"]): row for row in evidence["candidates"] or []
    }
    touched = {(row["touchpoint_id"], row["partner_id"]) for row in evidence["touches"] or []}
    rows = [
        _touch(row, candidates.get((row["touchpoint_id"], row["partner_id"])), evidence["lead"])
        for row in evidence["touches"] or []
    ]
    # A ruling is a candidate, and no touch.
    rows += [_touch(row, row, evidence["lead"]) for key, row in candidates.items()
             if key not in touched]  # fmt: skip
    rows.sort(key=lambda row: (row["occurred_at"], row["touchpoint_id"], row["partner_id"] or ""))
    return Table(
        "touches",
        "Touches, who is credited, and why the others are not",
        [
            Column("occurred_at", "When", "instant"),
            _PARTNER,
            Column("touch_type", "Touch", words=words.TOUCH_TYPES),
            Column("result", "Result", "badge", words={WON: WON, LOST: LOST}),
            Column("why", "Why"),
            Column("rule", "Rule"),
            Column("lost_to", "Lost to", "id"),
            Column("touchpoint_id", "Record", "id"),
        ],
        rows,
        empty="No touch is known of this lead.",
    )


def _touch(row: Record, judged: Record | None, lead: Record) -> Record:
    if judged is None:
        why = (
            "its code belongs to no partner"
            if row["partner_id"] is None
            else "the lead is not valid yet"
            if lead["valid_at"] is None
            else "it does not compete"
        )
        return {**row, "result": None, "why": why, "rule": None, "lost_to": None}
    return {
        **row,
        "result": WON if judged["is_winner"] else LOST,
        "why": judged.get("why") or judged["rule"],
        "rule": judged["rule"],
        "lost_to": judged["lost_to"],
    }


def credits_table(evidence: Mapping[str, Any]) -> Table:
    """Credits by model, the paying one first (A3, A7)."""
    return Table(
        "credits",
        "Credit by attribution model",
        [
            Column("model", "Model", words=words.ATTRIBUTION_MODELS),
            _PARTNER,
            Column("share", "Credit", "percent"),
            Column("is_paying", "Pays", "yes_no"),
            Column("decided_by", "Decided by"),
            Column("decided_at", "Decided at", "instant"),
            Column("touchpoint_id", "Touch", "id"),
            Column("credit_ppm", "Credit", "number", is_csv_only=True),
        ],
        [{**row, "share": share(row["credit_ppm"])} for row in evidence["attributions"] or []],
        empty="Nobody is credited with this lead.",
    )


def _submissions(evidence: Mapping[str, Any]) -> Table:
    return Table(
        "submissions",
        "Submissions",
        [
            Column(
                "submission_key", "Submission", "id",
                href=lambda row: addresses.registration(row["submission_key"])
                if is_registration(row["submission_key"]) else None,
            ),
            _PARTNER,
            Column("submission_type", "Kind", words=words.SUBMISSION_TYPES),
            Column("submitted_at", "Sent in", "instant"),
            Column("verdict", "Verdict", "badge", words=words.VERDICTS),
            Column("rule", "Rule"),
            Column("rival_key", "Lost to", "id"),
            Column("registration_status", "State"),
            Column("protected_until_at", "Protects until", "instant"),
        ],
        evidence["submissions"] or [],
        empty="Nobody sent this lead in.",
    )  # fmt: skip


def _stages(evidence: Mapping[str, Any]) -> Table:
    return Table(
        "stages",
        "Stages",
        [
            Column("reached_at", "When", "instant"),
            Column("stage", "Stage", "badge", words=words.LEAD_STAGES),
            Column("is_first", "First", "yes_no", hint="The first of its stage; rules look at it."),
            Column("source", "Source"),
            Column("source_type", "Record"),
            Column("source_id", "Its id", "id"),
            Column("owner", "Who"),
        ],
        [
            row
            for row in evidence["stages"] or []
            # Each later payment shows that stage again; the lead moved at the first alone.
            if row["is_first"] or row["stage"] != "first_payment"
        ],
        empty="The lead has not reached a stage.",
    )


def commissions_table(
    rows: Sequence[Record], caption: str = "Commissions", total: int | None = None
) -> Table:
    """Commission lines, each with its page."""
    return Table(
        "commissions",
        caption,
        [
            Column("effective_date", "Day", "date"),
            Column(
                "kind", "Kind", words=words.ENTRY_KINDS,
                href=lambda row: addresses.commission(row["commission_id"]),
            ),
            _PARTNER,
            Column("customer_id", "Customer"),
            Column("source_id", "For"),
            Column("cause_id", "Because of"),
            Column("base_amount_minor", "Base", "money"),
            Column("rate_shown", "Rate"),
            Column("amount_minor", "Amount", "money"),
            Column(
                "payout_amount_minor", "Pays", "money", currency_key="payout_currency_code",
                hint="The amount in the currency that the partner is paid in.",
            ),
            Column("status", "State", "badge", words=words.LINE_STATES),
            Column("unpaid_text", "Why not paid yet", is_csv_only=True),
            Column("unpaid_reason", "Why not paid yet", is_csv_only=True),
            Column("expected_pay_date", "Expected", "date"),
            Column("rate", "Rate", is_csv_only=True),
            Column("source_type", "For", is_csv_only=True),
            Column("cause_type", "Because of", is_csv_only=True),
            Column("lead_id", "Lead", is_csv_only=True),
            Column("plan_id", "Plan", is_csv_only=True),
            Column("plan_version", "Version", is_csv_only=True),
            Column("component_id", "Component", is_csv_only=True),
            Column("invoice_id", "Invoice", is_csv_only=True),
            Column("available_date", "Payable from", "date", is_csv_only=True),
            Column("commission_id", "Commission", "id", is_csv_only=True),
        ],
        [
            {
                **row,
                "rate_shown": exact_percent(row["rate"]),
                "unpaid_text": unpaid_text(row["unpaid_reason"]),
            }
            for row in rows
        ],
        empty="Nothing was earned or taken back.",
        total=total,
    )  # fmt: skip


def _missed(evidence: Mapping[str, Any]) -> Table:
    return Table(
        "missed-credit",
        "Money that points to a partner and earns nobody anything",
        [
            Column("customer_id", "Customer"),
            _PARTNER,
            Column("amount_minor", "Paid", "money"),
            Column("paid_lines", "Lines", "number"),
            Column("reason", "Why it earns nothing", words=words.UNEARNED_REASONS),
            Column("evidence_type", "Evidence", words=words.TOUCH_TYPES),
            Column("evidence_key", "Record", "id"),
            Column("why_not_text", "Why it does not count"),
            Column("why_not", "Rule", is_csv_only=True),
            Column("owner", "Owner"),
        ],
        [
            {**row, "why_not_text": rule_text(row["why_not"])}
            for row in evidence["missed_credits"] or []
        ],
        empty="None.",
    )


def _duplicates(evidence: Mapping[str, Any]) -> Table:
    return Table(
        "duplicates",
        "Duplicates",
        [
            Column("kind", "Kind", words=words.DUPLICATE_KINDS),
            Column(
                "other_lead_id",
                "Other lead",
                "id",
                href=lambda row: addresses.lead(row["other_lead_id"]),
            ),
            _PARTNER,
            Column("other_partner_id", "Other partner"),
            Column("evidence", "Evidence"),
            Column("found_at", "Found", "instant"),
            Column("owner", "Owner"),
        ],
        evidence["duplicates"] or [],
        empty="None.",
    )


def _discrepancies(evidence: Mapping[str, Any]) -> Table:
    return Table(
        "discrepancies",
        "What a pin or a ruling keeps against today's facts",
        [
            Column("scope_type", "Scope"),
            Column("scope_id", "Its id", "id"),
            _PARTNER,
            Column("held_by", "Kept by"),
            Column("share", "Counts", "percent"),
            Column("computed_share", "Today's facts", "percent"),
        ],
        [
            {**row, "share": share(row["credit_ppm"]),
             "computed_share": share(row["computed_credit_ppm"])}
            for row in evidence["discrepancies"] or []
        ],
        empty="None.",
    )  # fmt: skip


def _signals(evidence: Mapping[str, Any]) -> Table:
    return Table(
        "signals",
        "Signals of risk",
        [
            Column("severity", "Severity", "badge"),
            Column("kind", "Signal"),
            _PARTNER,
            Column("evidence", "Evidence"),
            Column("hold_state", "Hold", "badge"),
            Column("what_to_do", "What to do"),
        ],
        evidence["signals"] or [],
        empty="None.",
    )


def _decisions(evidence: Mapping[str, Any]) -> Table:
    return Table(
        "decisions",
        "Decisions",
        [
            Column("decided_at", "When", "instant"),
            Column("kind", "On"),
            Column("decision", "Decision", "badge"),
            _PARTNER,
            Column("decided_by", "Who"),
            Column("reason", "Reason"),
            Column("evidence", "Evidence"),
            Column("expires_at", "Until", "instant"),
            Column("subject_key", "Record", "id"),
        ],
        evidence["decisions"] or [],
        empty="Nobody decided anything about this lead.",
    )


def _requests(evidence: Mapping[str, Any]) -> Table:
    return Table(
        "requests",
        "Requests for an update",
        [
            Column("asked_at", "Asked", "instant"),
            Column("asked_of", "Of", words={"owner": "Owner", "partner": "Partner"}),
            _PARTNER,
            Column("reason", "Why", words={"asked": "Somebody asked", "stale": "Nothing moved"}),
            Column("due_at", "Due", "instant"),
            Column("answered_at", "Answered", "instant"),
            Column("state", "State", "badge"),
            Column("reminders_due", "Reminders", "number"),
            Column("request_id", "Request", "id"),
        ],
        evidence["requests"] or [],
        empty="Nobody asked.",
    )


def _timeline(evidence: Mapping[str, Any]) -> Table:
    return Table(
        "timeline",
        "Everything in order of time",
        [
            Column("at", "When", "instant"),
            _PARTNER,
            Column("text", "What happened"),
            Column("record", "Record", "id"),
        ],
        evidence["timeline"],
    )
