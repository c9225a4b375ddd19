"""`partnerledger dispute …`: what a partner does not agree with, decided by somebody else.

What does not belong here: the rules of deciding (`payouts.disputes`), the facts about what is
disputed (`dispute_subjects`), and chargebacks, which a bank opens.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from orchestration.cli_adjust import parse_amount
from orchestration.cli_common import (
    DEFAULT_HOME,
    ActorOption,
    HomeOption,
    JsonOption,
    ProgramOption,
    actor_name,
    open_both,
    open_control,
    open_workspace,
    out,
    parse_date,
    print_json,
    require_partner,
    unknown_partner,
)

if TYPE_CHECKING:
    from datetime import date
    from decimal import Decimal

    from duckdb import DuckDBPyConnection

    from orchestration.dispute_subjects import Subject
    from payouts.dispute_checks import Remedy
    from payouts.dispute_records import Dispute

app = typer.Typer(
    help="Disputes: what a partner does not agree with, on a line, a lead or a payout.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
DisputeArgument = Annotated[
    str, typer.Argument(metavar="DISPUTE", help="Id that `dispute list` shows.")
]
ReasonOption = Annotated[str, typer.Option("--reason", help="Why; kept with the decision.")]


class SubjectType(StrEnum):
    """What can be disputed."""

    LINE = "line"
    LEAD = "lead"
    PAYOUT = "payout"


class OpenedAs(StrEnum):
    """In whose name a dispute is opened."""

    PARTNER = "partner"
    PARTNERSHIPS = "partnerships"
    FINANCE = "finance"


class Outcome(StrEnum):
    """How a dispute is decided."""

    UPHELD = "upheld"
    PARTLY_UPHELD = "partly_upheld"
    REJECTED = "rejected"


class State(StrEnum):
    """Where a dispute stands."""

    OPENED = "opened"
    UNDER_REVIEW = "under_review"
    UPHELD = "upheld"
    PARTLY_UPHELD = "partly_upheld"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"


@app.command("open")
def open_one(
    subject_type: Annotated[SubjectType, typer.Argument(help="What is disputed.")],
    reference: Annotated[
        str,
        typer.Argument(
            metavar="ID",
            help="Commission id, payout id, or a lead by its id, customer or company domain.",
        ),
    ],
    text: Annotated[
        str, typer.Option("--text", help="What the partner says; only people here read it.")
    ],
    partner: Annotated[
        str | None,
        typer.Option(
            "--partner", metavar="PARTNER", help="Needed for a lead: whose credit is in question."
        ),
    ] = None,
    opened_as: Annotated[
        OpenedAs, typer.Option("--opened-as", help="In whose name you enter it.")
    ] = OpenedAs.PARTNER,
    home: HomeOption = DEFAULT_HOME,
    program: ProgramOption = None,
    actor: ActorOption = "",
    as_json: JsonOption = False,
) -> None:
    """Open a dispute. The chain of evidence is attached; a line or lead is held until it ends."""
    from orchestration.clock import utc_now
    from orchestration.dispute_subjects import evidence_text, find_subject
    from orchestration.dispute_text import dispute_record, print_dispute
    from payouts.disputes import open_dispute
    from payouts.terms import approval_rules, payout_rules

    workspace = open_workspace(program)
    if partner is not None:
        require_partner(home, partner)
    with open_both(home) as (published, store):
        subject = find_subject(published, subject_type.value, reference, partner)
        dispute, stale = open_dispute(
            store,
            home,
            subject_type=subject.subject_type,
            subject_id=subject.subject_id,
            partner_id=subject.partner_id,
            happened_on=subject.happened_on,
            text=text,
            evidence=evidence_text(published, home, subject),
            opened_by_role=opened_as.value,
            actor=actor_name(actor),
            rules=approval_rules(workspace),
            payout_rules=payout_rules(workspace),
            timezone=workspace.program.program.timezone,
            recorded_at=utc_now(),
        )
    if as_json:
        print_json({**dispute_record(dispute, utc_now()), "stale_batches": stale})
        return
    print_dispute(dispute, utc_now())
    for batch_id in stale:
        out().print(f"Batch {batch_id} is stale now; propose again without what is held.")
    out().print(
        "Somebody with a role takes it up:\n"
        f"  partnerledger dispute review {dispute.dispute_id} --reason … --as EMAIL"
    )


@app.command("list")
def list_disputes(
    state: Annotated[
        State | None, typer.Option("--state", help="Only those in this state.")
    ] = None,
    partner: Annotated[
        str | None, typer.Option("--partner", metavar="PARTNER", help="Only this partner's.")
    ] = None,
    is_overdue: Annotated[
        bool, typer.Option("--overdue", help="Only open ones past their due day, oldest first.")
    ] = False,
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
) -> None:
    """List disputes with their age and when an answer is due, oldest first."""
    from orchestration.clock import utc_now
    from orchestration.dispute_text import dispute_record, print_disputes
    from payouts.dispute_records import load_disputes, overdue

    now = utc_now()
    with open_control(home) as store, store.read() as connection:
        disputes = load_disputes(connection)
    chosen = [
        each
        for each in (overdue(disputes, now) if is_overdue else disputes)
        if state in (None, each.state) and partner in (None, each.partner_id)
    ]
    if as_json:
        print_json([dispute_record(each, now) for each in chosen])
        return
    print_disputes(chosen, now)


@app.command("show")
def show(
    dispute_id: DisputeArgument, home: HomeOption = DEFAULT_HOME, as_json: JsonOption = False
) -> None:
    """Show a dispute with what was written, attached (with --json) and decided."""
    import json

    from orchestration.cli_records import event_record
    from orchestration.clock import utc_now
    from orchestration.dispute_text import dispute_record, print_dispute, print_events
    from payouts.dispute_records import dispute_events, load_dispute, load_texts

    now = utc_now()
    with open_control(home) as store, store.read() as connection:
        dispute = load_dispute(connection, dispute_id)
        texts = load_texts(connection, dispute)
        events = dispute_events(connection, dispute)
    if as_json:
        print_json(
            {
                **dispute_record(dispute, now),
                "text": texts.text,
                "evidence": json.loads(texts.evidence),
                "events": [event_record(each) for each in events],
            }
        )
        return
    print_dispute(dispute, now, texts)
    print_events(events)


@app.command("review")
def review(
    dispute_id: DisputeArgument,
    reason: Annotated[str, typer.Option("--reason", help="What is being looked at.")],
    home: HomeOption = DEFAULT_HOME,
    program: ProgramOption = None,
    actor: ActorOption = "",
    as_json: JsonOption = False,
) -> None:
    """Take a dispute up. Needs a role."""
    from orchestration.clock import utc_now
    from payouts.disputes import review_dispute
    from payouts.terms import approval_rules

    rules = approval_rules(open_workspace(program))
    with open_control(home) as store:
        dispute = review_dispute(
            store, dispute_id=dispute_id, reason=reason, actor=actor_name(actor), rules=rules,
            recorded_at=utc_now(),
        )  # fmt: skip
    _print_turned(dispute, as_json, "It is decided by somebody who neither opened it nor decided "
                  "what it is about.")  # fmt: skip


@app.command("decide")
def decide(
    dispute_id: DisputeArgument,
    outcome: Annotated[Outcome, typer.Option("--outcome", help="How it is decided.")],
    reason: ReasonOption,
    amount: Annotated[
        str | None,
        typer.Option(
            "--amount",
            metavar="AMOUNT",
            help="Proposes an adjustment, in major units: 25.00 for the partner.",
        ),
    ] = None,
    ruling: Annotated[
        str | None,
        typer.Option("--ruling", metavar="RULING", help="The ruling that credits the partner."),
    ] = None,
    is_at_source: Annotated[
        bool, typer.Option("--at-source", help="A fact was corrected where it came from.")
    ] = False,
    available: Annotated[
        str | None,
        typer.Option("--available", metavar="DATE", help="First day for paying the adjustment."),
    ] = None,
    home: HomeOption = DEFAULT_HOME,
    program: ProgramOption = None,
    actor: ActorOption = "",
    as_json: JsonOption = False,
) -> None:
    """Decide a dispute: not who opened it, nor who decided what it is about.

    Upheld, wholly or partly, needs one of --amount, --ruling and --at-source. Its hold ends.
    """
    major = None if amount is None else parse_amount(amount)
    available_date = parse_date(available, "--available")
    from orchestration.clock import utc_now
    from orchestration.dispute_subjects import governing, subject_of
    from payouts.dispute_records import load_dispute
    from payouts.disputes import decide_dispute
    from payouts.terms import approval_rules

    rules = approval_rules(open_workspace(program))
    with open_both(home) as (published, store):
        with store.read() as connection:
            dispute = load_dispute(connection, dispute_id)
        subject = subject_of(published, dispute)
        remedy = _remedy(published, subject, major, ruling, is_at_source, available_date)
        dispute = decide_dispute(
            store, home, dispute_id=dispute_id, outcome=outcome.value,
            governing=governing(published, subject), reason=reason, actor=actor_name(actor),
            rules=rules, recorded_at=utc_now(), remedy=remedy,
        )  # fmt: skip
    _print_turned(dispute, as_json, _what_follows(dispute))


@app.command("withdraw")
def withdraw(
    dispute_id: DisputeArgument,
    reason: ReasonOption,
    home: HomeOption = DEFAULT_HOME,
    actor: ActorOption = "",
    as_json: JsonOption = False,
) -> None:
    """Withdraw a dispute that you opened; its hold ends. That is final."""
    from orchestration.clock import utc_now
    from payouts.disputes import withdraw_dispute

    with open_control(home) as store:
        dispute = withdraw_dispute(
            store, dispute_id=dispute_id, reason=reason, actor=actor_name(actor),
            recorded_at=utc_now(),
        )  # fmt: skip
    _print_turned(dispute, as_json, _what_follows(dispute))


def _remedy(
    published: DuckDBPyConnection,
    subject: Subject,
    amount: Decimal | None,
    ruling_id: str | None,
    is_at_source: bool,
    available_date: date | None,
) -> Remedy:
    """What was asked for. Raises: CommandError for a partner that the snapshot does not know."""
    from orchestration.dispute_subjects import payout_currency
    from payouts.adjustment_checks import adjustment_minor
    from payouts.dispute_checks import Remedy

    if amount is None:
        return Remedy(ruling_id=ruling_id, is_at_source=is_at_source)
    code = payout_currency(published, subject.partner_id)
    if code is None:
        raise unknown_partner(subject.partner_id)
    return Remedy(
        amount_minor=adjustment_minor(amount, code),
        currency_code=code,
        payout_currency_code=code,
        corrects_entry_id=subject.entry_id,
        available_date=available_date,
        ruling_id=ruling_id,
        is_at_source=is_at_source,
    )


def _print_turned(dispute: Dispute, as_json: bool, what_follows: str) -> None:
    from orchestration.clock import utc_now
    from orchestration.dispute_text import dispute_record, print_dispute

    if as_json:
        print_json(dispute_record(dispute, utc_now()))
        return
    print_dispute(dispute, utc_now())
    out().print(what_follows)


def _what_follows(dispute: Dispute) -> str:
    released = "Its hold is released. " if dispute.hold_id else ""
    if dispute.adjustment_id:
        return (
            f"{released}Somebody else of finance approves the adjustment:\n"
            f"  partnerledger adjust approve {dispute.adjustment_id} --reason … --as EMAIL"
        )
    if dispute.ruling_id:
        return (
            f"{released}The ruling counts once somebody else has approved it:\n"
            f"  partnerledger rule approve {dispute.ruling_id} --reason … --as EMAIL"
        )
    if dispute.remedy:
        return f"{released}The next night posts what changed at the source."
    return f"{released}Nothing is posted."
