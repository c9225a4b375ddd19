"""One lead as people read it: where it stands, the timeline, every record behind it.

What belongs here: printing. What does not: finding the records (`lead_records`, `lead_control`)
and their order in time (`lead_timeline`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from orchestration.cli_common import money, out, print_table
from orchestration.evidence_text import print_facts, print_lines
from orchestration.lead_records import missing_sections
from orchestration.lead_timeline import credits_text, percent, why_lost

Record = dict[str, Any]


def print_timeline(events: Sequence[Record]) -> None:
    """What happened, oldest first."""
    print_table(
        "Timeline",
        ("at (UTC)", "partner", "what happened", "record"),
        [(_moment(row["at"]), row["partner_id"], row["text"], row["record"]) for row in events],
        whole=("at (UTC)", "partner", "record"),
    )


def print_lead(evidence: Record) -> None:
    """Where one lead stands, and its records; what a snapshot is too old for is absent."""
    lead = evidence["lead"]
    out().print(_standing(lead) + "\n")
    older = [row["alias_lead_id"] for row in evidence.get("aliases") or []]
    print_facts("lead", {**lead, "older ids": ", ".join(older)})
    out().print()
    print_submissions("Submissions", evidence["submissions"])
    _print_candidates(evidence["candidates"])
    print_credits(evidence["attributions"])
    _print_discrepancies(evidence.get("discrepancies"))
    print_decisions(evidence.get("decisions"))
    _print_waiting(evidence)
    print_requests("Requests for an update", evidence.get("requests"))
    _print_messages(evidence.get("messages"))
    _print_holds(evidence.get("holds"))
    print_signals("Signals", evidence.get("signals"))
    print_duplicates("Duplicates", evidence.get("duplicates"))
    print_missed("Missed credit", evidence.get("missed_credits"))
    print_lines(evidence["lines"])
    missing = missing_sections(evidence)
    if missing:
        named = ", ".join(name.replace("_", " ") for name in missing)
        out().print(
            f"This snapshot is older than: {named}. `partnerledger run` publishes one with them."
        )


def print_submissions(title: str, rows: Iterable[Record]) -> None:
    """Submissions with their one verdict, the rule, the rival and the end of protection."""
    print_table(
        title,
        ("submission", "partner", "at (UTC)", "status", "verdict", "rule", "because of",
         "until (UTC)"),
        [
            (row["submission_key"], row["partner_id"], _moment(row["submitted_at"]),
             row.get("registration_status"), row["verdict"], row["rule"], row["rival_key"],
             _moment(row.get("protected_until_at")))
            for row in rows
        ],
        whole=("submission", "at (UTC)", "verdict", "because of", "until (UTC)"),
    )  # fmt: skip


def print_credits(rows: Iterable[Record]) -> None:
    """Credits per model; only those of the paying one move money."""
    print_table(
        "Credits",
        ("model", "", "partner", "share", "touch", "decided by"),
        [
            (row["model"], "pays" if row["is_paying"] else "compared only", row["partner_id"],
             percent(row["credit_ppm"]), row["touchpoint_id"], row.get("decided_by"))
            for row in rows
        ],
        right=("share",),
        whole=("touch", "decided by"),
    )  # fmt: skip


def print_comparison(rows: Iterable[Record]) -> None:
    """Who is credited for a lead now, and by a ruling; with what was earned on it so far."""
    print_table(
        "Credits by partner",
        ("partner", "in the published night", "by the ruling", "earned so far"),
        [
            (row["partner_id"], percent(row["present_credit_ppm"]),
             percent(row["ruled_credit_ppm"]),
             ", ".join(money(amount, code) for code, amount in row["earned"].items()))
            for row in rows
        ],
        right=("in the published night", "by the ruling", "earned so far"),
    )  # fmt: skip


def print_decisions(rows: Iterable[Record] | None) -> None:
    """Decisions about registrations and rulings."""
    _print_section(
        "Decisions",
        ("at (UTC)", "what", "partner", "who", "until (UTC)", "reason", "evidence", "on"),
        [
            (_moment(row["decided_at"]), f"{row['kind']} {row['decision']}", row["partner_id"],
             row["decided_by"], _moment(row["expires_at"]), row["reason"], row["evidence"],
             row["subject_key"])
            for row in rows or []
        ],
        whole=("at (UTC)", "until (UTC)", "on"),
    )  # fmt: skip


def print_requests(title: str, rows: Iterable[Record] | None) -> None:
    """Requests for an update with their due dates and reminders."""
    _print_section(
        title,
        ("request", "on", "asked of", "why", "asked (UTC)", "due (UTC)", "state", "reminders",
         "owner"),
        [
            (row["request_id"], row["lead_id"] or row["subject_key"],
             row.get("partner_id") or row["asked_of"],
             row["reason"], _moment(row["asked_at"]), _moment(row["due_at"]), row["state"],
             row["reminders_due"], row["owner"])
            for row in rows or []
        ],
        whole=("request", "on", "asked (UTC)", "due (UTC)"),
    )  # fmt: skip


def print_signals(title: str, rows: Iterable[Record] | None) -> None:
    """Signs of abuse: what each rests on, the hold it opened, and what to do."""
    rows = list(rows or [])
    if not rows:
        return
    console = out()
    console.print(title, style="bold")
    for row in rows:
        partner = f", partner {row['partner_id']}" if row["subject_type"] != "partner" else ""
        hold = f"{row['hold_state']} {row['hold_id']}" if row["hold_id"] else row["hold_state"]
        console.print(
            f"{row['signal_id']}  {row['severity']}  {row['kind']}\n"
            f"  on {row['subject_type']} {row['subject_id']}{partner}; found "
            f"{_moment(row['detected_at'])} UTC; hold: {hold}\n"
            f"  {row['evidence']}\n"
            f"  What to do: {row['what_to_do']}"
        )
    console.print()


def print_duplicates(title: str, rows: Iterable[Record] | None) -> None:
    """Claims on the same lead, and leads that are or may be the same."""
    rows = list(rows or [])
    if not rows:
        return
    console = out()
    console.print(title, style="bold")
    for row in rows:
        leads = " and ".join(filter(None, (row["lead_id"], row["other_lead_id"])))
        named = dict.fromkeys((row["partner_id"], row["other_partner_id"]))
        partners = " and ".join(filter(None, named))
        owner = row["owner"]
        console.print(
            f"{row['kind']}  {leads}\n"
            f"  found {_moment(row['found_at'])} UTC"
            f"{f', partner {partners}' if partners else ''}"
            f"{f', owner {owner}' if owner else ''}\n"
            f"  {row['evidence']}"
        )
    console.print()


def print_missed(title: str, rows: Iterable[Record] | None) -> None:
    """Paid money of customers that carry a partner's mark, and why it earns nothing."""
    _print_section(
        title,
        ("customer", "partner", "paid", "lines", "since", "evidence", "why not credited", "owner"),
        [
            (row["customer_id"], row["partner_id"],
             money(row["amount_minor"], row["currency_code"]), row["paid_lines"],
             row["first_paid_date"], row["evidence_key"], row["why_not"] or row["reason"],
             row["owner"])
            for row in rows or []
        ],
        right=("paid", "lines"),
        whole=("customer", "paid", "since", "evidence", "owner"),
    )  # fmt: skip


def _print_section(
    title: str,
    columns: Sequence[str],
    rows: list[tuple],
    right: Iterable[str] = (),
    whole: Iterable[str] = (),
) -> None:
    # A lead without signals or requests is the usual one: an empty section says nothing.
    if rows:
        print_table(title, columns, rows, right, whole)


def _print_candidates(rows: Iterable[Record]) -> None:
    print_table(
        "Candidates",
        ("", "partner", "touch", "type", "at (UTC)", "rule", "why"),
        [
            ("won" if row["is_winner"] else "lost", row["partner_id"], row["touchpoint_id"],
             row["touch_type"], _moment(row["occurred_at"]), row["rule"],
             row.get("why") or ("" if row["is_winner"] else why_lost(row)))
            for row in rows
        ],
        whole=("touch", "type", "at (UTC)"),
    )  # fmt: skip


def _print_discrepancies(rows: Iterable[Record] | None) -> None:
    for row in rows or []:
        out().print(
            f"Held by a {row['held_by']}: {row['partner_id']} has {percent(row['credit_ppm'])}; "
            f"computed anew it would have {percent(row['computed_credit_ppm'])}."
        )


def _print_waiting(evidence: Record) -> None:
    """Rulings that wait for somebody: they change nothing yet, and nobody must overlook them."""
    for row in evidence.get("rulings") or []:
        if row["state"] == "proposed":
            out().print(
                f"Ruling {row['ruling_id']} by {row['proposed_by']} waits for approval: "
                f"{credits_text(row['credits'])}. See `partnerledger rule show {row['ruling_id']}`."
            )


def _print_messages(rows: Iterable[Record] | None) -> None:
    if not rows:
        return
    out().print("Messages", style="bold")
    for row in rows:
        reader = row["partner_id"] or "the partner"
        seen = f"{reader} sees it" if row["is_partner_visible"] else "internal"
        out().print(f"{_moment(row['posted_at'])} {row['author_role']} ({seen}): {row['text']}")
    out().print()


def _print_holds(rows: Iterable[Record] | None) -> None:
    for row in rows or []:
        out().print(
            f"Held: {row['subject_type']} {row['subject_id']} since {_moment(row['opened_at'])}: "
            f"{row['reason']} ({row['hold_id']})"
        )


def _standing(lead: Record) -> str:
    """One sentence: where the lead stands, since when it counts, whose it is."""
    stage = lead["stage"].replace("_", " ")
    since = f"valid since {_moment(lead['valid_at'])} UTC" if lead["valid_at"] else lead["verdict"]
    owner = f"owner {lead['owner']}" if lead["owner"] else "no owner"
    return f"{lead['lead_id']} stands at {stage}; {since} ({lead['rule']}); {owner}."


def _moment(instant: Any) -> str | None:
    """An instant without its seconds: they help nobody who reads."""
    return None if instant is None else str(instant)[:16]
