"""`partnerledger lead …`: what became of a lead, and what waits for somebody. Reading alone.

What does not belong here: entering and deciding (`cli_lead_decisions`), asking and writing
(`cli_lead_updates`), and finding the records (`lead_records`, `lead_control`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Annotated, Any

import typer

from orchestration.cli_common import (
    DEFAULT_HOME,
    HomeOption,
    JsonOption,
    open_published,
    out,
    print_json,
    print_table,
    query,
)
from orchestration.cli_lead_decisions import add_decisions
from orchestration.cli_lead_updates import add_updates

app = typer.Typer(
    help="Leads: who is credited and why; registrations, requests.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
LeadArgument = Annotated[
    str,
    typer.Argument(
        metavar="REF",
        help="Lead (an older id too), customer, company domain, submission, registration or touch.",
    ),
]
PartnerFilter = Annotated[
    str | None, typer.Option("--partner", metavar="PARTNER", help="Only those of this partner.")
]
OwnerFilter = Annotated[
    str | None, typer.Option("--owner", metavar="NAME", help="Only those of this owner.")
]
LimitOption = Annotated[int, typer.Option("--limit", min=1, help="How many at most.")]
_TOO_OLD = "the published snapshot is older than this list; `partnerledger run` publishes one."
# Stands for the value of a condition that needs none.
_ALWAYS = object()


@app.command("list")
def list_leads(
    verdict: Annotated[
        str | None, typer.Option("--verdict", help="valid or pending; of submissions, any of L1.")
    ] = None,
    stage: Annotated[str | None, typer.Option("--stage", help="Stage of the ladder.")] = None,
    is_submissions: Annotated[
        bool,
        typer.Option("--submissions", help="Forms, registrations and entered leads instead."),
    ] = False,
    partner: PartnerFilter = None,
    limit: LimitOption = 50,
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
) -> None:
    """List leads or submissions.

    Leads: those that moved last come first. Submissions: the newest, with the keys that decisions
    name; what was entered since the last night is among them.
    """
    if is_submissions:
        if stage is not None:
            raise typer.BadParameter("submissions have no stage", param_hint="--stage")
        _list_submissions(home, verdict, partner, limit, as_json)
        return
    with open_published(home) as connection:
        rows = query(
            connection,
            "select lead_id, email_masked, company_domain, customer_id, stage, verdict, rule, "
            "owner, valid_at, last_moved_at from marts.fct_leads "
            "where ($1 is null or verdict = $1) and ($2 is null or stage = $2) "
            "and ($3 is null or lead_id in (select lead_id from marts.fct_touchpoints "
            "where partner_id = $3)) "
            "order by last_moved_at desc nulls last, lead_id limit $4",
            [verdict, stage, partner, limit],
        )
    if as_json:
        print_json(rows)
        return
    print_table(
        f"Leads (at most {limit})",
        ("lead", "who", "customer", "stage", "verdict", "rule", "moved (UTC)"),
        [
            (row["lead_id"], row["company_domain"] or row["email_masked"], row["customer_id"],
             row["stage"], row["verdict"], row["rule"], row["last_moved_at"])
            for row in rows
        ],
    )  # fmt: skip


@app.command("show")
def show_lead(
    reference: LeadArgument, home: HomeOption = DEFAULT_HOME, as_json: JsonOption = False
) -> None:
    """Show where a lead stands and why.

    Submissions with their verdicts, every candidate with what beat it, credits, requests, messages,
    open holds and signals. `explain lead` tells the same in order of time.
    """
    from orchestration.lead_control import with_recorded
    from orchestration.lead_records import lead_evidence
    from orchestration.lead_text import print_lead

    with open_published(home) as connection:
        evidence = lead_evidence(connection, reference)
    evidence = with_recorded(evidence, home)
    if as_json:
        print_json(evidence)
    else:
        print_lead(evidence)


@app.command("requests")
def list_requests(
    is_overdue: Annotated[bool, typer.Option("--overdue", help="Only those past due.")] = False,
    is_all: Annotated[bool, typer.Option("--all", help="Those that were answered, too.")] = False,
    owner: OwnerFilter = None,
    limit: LimitOption = 50,
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
) -> None:
    """List requests for an update.

    With due dates and reminders; those due first come first. A night raises one for a lead that
    stands still; `lead request` asks by hand.
    """
    from orchestration.lead_control import ANSWERED, OVERDUE, control_reader, known_requests
    from orchestration.lead_records import owners
    from orchestration.lead_text import print_requests

    conditions = {} if is_all else {"answered_at is null": _ALWAYS}
    published = _rows(home, "fct_lead_update_requests", conditions, "due_at, request_id")
    rows = published or []
    with control_reader(home) as connection:
        if connection is not None:
            rows = known_requests(connection, rows)
    with open_published(home) as snapshot:
        owner_of = owners(snapshot, [row["lead_id"] for row in rows if row["owner"] is None])
    rows = [{**row, "owner": row["owner"] or owner_of.get(row["lead_id"])} for row in rows]
    if published is None and not rows:
        _print_some("Requests", None, limit, as_json, print_requests)
        return
    rows = [
        row
        for row in rows
        if (is_all or row["state"] != ANSWERED)
        and (not is_overdue or row["state"] == OVERDUE)
        and owner in (None, row["owner"])
    ]
    _print_some("Requests", rows[:limit], limit, as_json, print_requests)


@app.command("duplicates")
def list_duplicates(
    kind: Annotated[str | None, typer.Option("--kind", help="Only those of this kind.")] = None,
    partner: PartnerFilter = None,
    owner: OwnerFilter = None,
    limit: LimitOption = 50,
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
) -> None:
    """List duplicate claims and leads.

    Claims on the same lead, leads that joined or may be the same, shared devices and mailboxes.
    """
    from orchestration.lead_text import print_duplicates

    rows = _rows(
        home,
        "fct_duplicate_leads",
        {"kind = ?": kind, "? in (partner_id, other_partner_id)": partner, "owner = ?": owner},
        "found_at desc nulls last, duplicate_id",
        limit,
    )
    _print_some("Duplicates", rows, limit, as_json, print_duplicates)


@app.command("missed")
def list_missed(
    partner: PartnerFilter = None,
    owner: OwnerFilter = None,
    limit: LimitOption = 50,
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
) -> None:
    """List paid money that credits nobody.

    Customers that pay and carry a partner's code, link, form or CRM field, the largest first, with
    why they earn nothing.
    """
    from orchestration.lead_text import print_missed

    rows = _rows(
        home,
        "fct_missed_credits",
        {"partner_id = ?": partner, "owner = ?": owner},
        "currency_code, amount_minor desc, customer_id, partner_id",
        limit,
    )
    _print_some("Missed credit", rows, limit, as_json, print_missed)


@app.command("signals")
def list_signals(
    severity: Annotated[
        str | None, typer.Option("--severity", help="Only high, medium or low.")
    ] = None,
    is_held: Annotated[bool, typer.Option("--held", help="Only those whose hold is open.")] = False,
    partner: PartnerFilter = None,
    limit: LimitOption = 50,
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
) -> None:
    """List signs of abuse and their holds.

    Each with what it rests on and what to do; the state of the hold is that of now.
    """
    from orchestration.lead_control import OPEN, control_reader, with_holds_of_now
    from orchestration.lead_text import print_signals

    rows = _rows(
        home,
        "fct_risk_signals",
        {"severity = ?": severity, "partner_id = ?": partner},
        "detected_at desc nulls last, signal_id",
    )
    if rows is not None:
        with control_reader(home) as connection:
            rows = with_holds_of_now(connection, rows)
        rows = [row for row in rows if not is_held or row["hold_state"] == OPEN][:limit]
    _print_some("Signals", rows, limit, as_json, print_signals)


def _list_submissions(
    home: Path, verdict: str | None, partner: str | None, limit: int, as_json: bool
) -> None:
    from orchestration.lead_control import control_reader, entered_since
    from orchestration.lead_text import print_submissions

    conditions = {"verdict = ?": verdict, "partner_id = ?": partner}
    order = "submitted_at desc, submission_key"
    rows = _rows(home, "fct_lead_submissions", conditions, order, limit) or []
    known = _rows(home, "fct_lead_submissions", {"submission_key like 'control:%'": _ALWAYS}, order)
    with control_reader(home) as connection:
        if connection is not None and verdict is None:
            since = entered_since(connection, {row["submission_key"] for row in known or []})
            # Newest first as well, before the rest: no list has shown them yet.
            rows = [row for row in reversed(since) if partner in (None, row["partner_id"])] + rows
    _print_some("Submissions", rows[:limit], limit, as_json, print_submissions)


def _rows(
    home: Path, mart: str, conditions: dict[str, Any], order: str, limit: int | None = None
) -> list[dict[str, Any]] | None:
    """Rows of a mart; None when the snapshot was published before the mart existed.

    conditions: SQL with one question mark → its value; those with None do not count.
    """
    from orchestration.lead_references import marts_of

    asked = {sql: value for sql, value in conditions.items() if value is not None}
    where = " and ".join(f"({sql})" for sql in asked) or "true"
    values = [value for value in asked.values() if value is not _ALWAYS]
    with open_published(home) as connection:
        if mart not in marts_of(connection):
            return None
        return query(
            connection,
            f"select * from marts.{mart} where {where} order by {order}"
            f"{'' if limit is None else f' limit {limit}'}",
            values,
        )


def _print_some(
    title: str,
    rows: list[dict[str, Any]] | None,
    limit: int,
    as_json: bool,
    show: Callable[[str, Iterable[dict[str, Any]]], None],
) -> None:
    if as_json:
        print_json(rows or [])
    elif rows is None:
        out().print(f"{title}: {_TOO_OLD}")
    elif rows:
        show(f"{title} (at most {limit})", rows)
    else:
        out().print(f"{title}: none")


add_decisions(app)
add_updates(app)
