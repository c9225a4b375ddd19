"""`partnerledger adjust …`: amounts for or from a partner that two people decide, with evidence.

What does not belong here: the rules of deciding (`payouts.adjustments`) and the entry that the next
night posts (the models).
"""

from __future__ import annotations

import re
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from orchestration.cli_common import (
    DEFAULT_HOME,
    ActorOption,
    HomeOption,
    JsonOption,
    ProgramOption,
    actor_name,
    minute,
    money,
    open_control,
    open_published,
    open_workspace,
    out,
    parse_date,
    print_json,
    print_table,
    query,
    unknown_partner,
)
from orchestration.cli_decision_options import (
    PrintMessageOption,
    SignatureOption,
    Signing,
    SignOption,
)

if TYPE_CHECKING:
    from payouts.adjustments import Adjustment
    from payouts.events import Event

app = typer.Typer(
    help="Adjustments: an amount for or from a partner, by decision of two people.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
AdjustmentArgument = Annotated[
    str, typer.Argument(metavar="ADJUSTMENT", help="Id that `adjust list` shows.")
]
ReasonOption = Annotated[str, typer.Option("--reason", help="Why; kept with the decision.")]
# Digits with at most one point: no grouping, which means another amount elsewhere.
_AMOUNT = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?")
_NEXT_NIGHT = "The next night posts it: run `partnerledger run`, or wait for it."


class State(StrEnum):
    """Where an adjustment stands."""

    PROPOSED = "proposed"
    APPROVED = "approved"
    DECLINED = "declined"
    REVOKED = "revoked"
    POSTED = "posted"


@app.command("propose")
def propose(
    partner: Annotated[str, typer.Argument(metavar="PARTNER", help="Id of the partner.")],
    amount: Annotated[
        str,
        typer.Option(
            "--amount",
            metavar="AMOUNT",
            help="In major units: 25.00 for the partner, -25.00 from the partner.",
        ),
    ],
    reason: ReasonOption,
    evidence: Annotated[str, typer.Option("--evidence", help="Reference to what proves it.")],
    currency: Annotated[
        str | None,
        typer.Option("--currency", metavar="CODE", help="Default: what the partner is paid in."),
    ] = None,
    corrects: Annotated[
        str | None, typer.Option("--corrects", metavar="ENTRY", help="The entry that it corrects.")
    ] = None,
    lead: Annotated[
        str | None,
        typer.Option(
            "--lead", metavar="LEAD", help="Lead, customer, company domain or submission."
        ),
    ] = None,
    available: Annotated[
        str | None,
        typer.Option(
            "--available",
            metavar="DATE",
            help="First day on which it may be paid; default: that of the approval.",
        ),
    ] = None,
    home: HomeOption = DEFAULT_HOME,
    program: ProgramOption = None,
    actor: ActorOption = "",
    as_json: JsonOption = False,
) -> None:
    """Propose an adjustment. It changes nothing until somebody else approves it."""
    major, available_date = parse_amount(amount), parse_date(available, "--available")
    from orchestration.clock import utc_now
    from payouts.adjustment_checks import adjustment_minor
    from payouts.adjustments import propose_adjustment
    from payouts.terms import approval_rules

    rules = approval_rules(open_workspace(program))
    payout_currency, lead_id = _known(home, partner, lead)
    code = (currency or payout_currency).strip().upper()
    with open_control(home) as store:
        adjustment = propose_adjustment(
            store,
            home,
            partner_id=partner,
            amount_minor=adjustment_minor(major, code),
            currency_code=code,
            payout_currency_code=payout_currency,
            reason=reason,
            evidence=evidence,
            lead_id=lead_id,
            corrects_entry_id=corrects,
            available_date=available_date,
            actor=actor_name(actor),
            rules=rules,
            recorded_at=utc_now(),
        )
    if as_json:
        print_json(adjustment_record(adjustment))
        return
    _print_adjustment(adjustment)
    out().print(
        "It changes nothing yet. Somebody else of finance approves it:\n"
        f"  partnerledger adjust approve {adjustment.adjustment_id} --reason … --as EMAIL"
    )


@app.command("approve")
def approve(
    adjustment_id: AdjustmentArgument,
    reason: ReasonOption,
    sign: SignOption = None,
    signature: SignatureOption = None,
    print_message: PrintMessageOption = False,
    home: HomeOption = DEFAULT_HOME,
    program: ProgramOption = None,
    actor: ActorOption = "",
    as_json: JsonOption = False,
) -> None:
    """Approve an adjustment. Needs the role finance; four eyes: not by who proposed it."""
    from payouts.adjustments import approval_message

    signing = Signing(sign, signature, print_message)
    message = approval_message(adjustment_id, actor_name(actor))
    if signing.is_printed(message):
        return
    adjustment = _decide(
        "approve", adjustment_id, reason, home, program, actor, signing.of(message)
    )
    _print_decided(adjustment, as_json, _NEXT_NIGHT)


@app.command("decline")
def decline(
    adjustment_id: AdjustmentArgument,
    reason: ReasonOption,
    home: HomeOption = DEFAULT_HOME,
    program: ProgramOption = None,
    actor: ActorOption = "",
    as_json: JsonOption = False,
) -> None:
    """Decline a proposed adjustment, or take back your own proposal; that is final."""
    adjustment = _decide("decline", adjustment_id, reason, home, program, actor)
    _print_decided(adjustment, as_json, "Nothing is posted.")


@app.command("revoke")
def revoke(
    adjustment_id: AdjustmentArgument,
    reason: ReasonOption,
    home: HomeOption = DEFAULT_HOME,
    program: ProgramOption = None,
    actor: ActorOption = "",
    as_json: JsonOption = False,
) -> None:
    """Revoke an approved adjustment that no night has posted; that is final."""
    adjustment = _decide("revoke", adjustment_id, reason, home, program, actor)
    _print_decided(adjustment, as_json, "Nothing is posted.")


@app.command("list")
def list_adjustments(
    state: Annotated[
        State | None, typer.Option("--state", help="Only those in this state.")
    ] = None,
    partner: Annotated[
        str | None, typer.Option("--partner", metavar="PARTNER", help="Only this partner's.")
    ] = None,
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
) -> None:
    """List all adjustments, oldest proposal first."""
    from payouts.adjustments import load_adjustments

    with open_control(home) as store, store.read() as connection:
        found = [
            each
            for each in load_adjustments(connection)
            if state in (None, each.state) and partner in (None, each.partner_id)
        ]
    if as_json:
        print_json([adjustment_record(each) for each in found])
        return
    print_table(
        "Adjustments",
        ("adjustment", "partner", "amount", "state", "effective", "payable from", "proposed by",
         "decided by", "why"),
        [
            (each.adjustment_id, each.partner_id, money(each.amount_minor, each.currency_code),
             each.state, each.effective_date, each.available_date or each.asked_available_date,
             each.proposed_by, each.decided_by, each.proposal_reason)
            for each in found
        ],
        right=("amount",),
        whole=("adjustment", "partner", "amount"),
    )  # fmt: skip


@app.command("show")
def show(
    adjustment_id: AdjustmentArgument, home: HomeOption = DEFAULT_HOME, as_json: JsonOption = False
) -> None:
    """Show an adjustment with everything that was decided about it."""
    from orchestration.cli_records import event_record
    from payouts.adjustments import adjustment_events, load_adjustment

    with open_control(home) as store, store.read() as connection:
        adjustment = load_adjustment(connection, adjustment_id)
        events = adjustment_events(connection, adjustment)
    if as_json:
        print_json(
            {**adjustment_record(adjustment), "events": [event_record(each) for each in events]}
        )
        return
    _print_adjustment(adjustment)
    _print_events(events)


def adjustment_record(adjustment: Adjustment) -> dict[str, Any]:
    """One adjustment for --json: its fields, and the first day on which it may be paid."""
    from dataclasses import asdict

    return {**asdict(adjustment), "available_date": adjustment.available_date}


def parse_amount(text: str) -> Decimal:
    """An amount in major units, exact. Raises: BadParameter (exit 2)."""
    if not _AMOUNT.fullmatch(text.strip()):
        raise typer.BadParameter(
            f"{text!r} is no amount; write it like 25.00 for the partner or -25.00 from the "
            "partner, without separators of thousands",
            param_hint="--amount",
        )
    return Decimal(text.strip())


def _known(home: Path, partner_id: str, lead: str | None) -> tuple[str, str | None]:
    """What the partner is paid in, and the lead that was meant, from the published snapshot.

    Raises: CommandError when the snapshot does not know one of them.
    """
    from orchestration.lead_references import require_lead

    with open_published(home) as connection:
        found = query(
            connection,
            "select payout_currency_code from marts.dim_partners where partner_id = ?",
            [partner_id],
        )
        if not found:
            raise unknown_partner(partner_id)
        lead_id = require_lead(connection, lead) if lead else None
    return found[0]["payout_currency_code"], lead_id


def _decide(
    verb: str,
    adjustment_id: str,
    reason: str,
    home: Path,
    program: Path | None,
    actor: str,
    signature: str | None = None,
) -> Adjustment:
    from orchestration.clock import utc_now
    from payouts import adjustments
    from payouts.terms import approval_rules

    workspace = open_workspace(program)
    decision = {
        "adjustment_id": adjustment_id,
        "reason": reason,
        "actor": actor_name(actor),
        "rules": approval_rules(workspace),
        "recorded_at": utc_now(),
    }
    with open_control(home) as store:
        if verb == "approve":
            timezone = workspace.program.program.timezone
            return adjustments.approve_adjustment(
                store, timezone=timezone, signature=signature, **decision
            )
        if verb == "decline":
            return adjustments.decline_adjustment(store, **decision)
        return adjustments.revoke_adjustment(store, **decision)


def _print_decided(adjustment: Adjustment, as_json: bool, what_follows: str) -> None:
    if as_json:
        print_json(adjustment_record(adjustment))
        return
    _print_adjustment(adjustment)
    out().print(what_follows)


def _print_adjustment(adjustment: Adjustment) -> None:
    from payouts.hashing import parse_instant

    amount = money(adjustment.amount_minor, adjustment.currency_code)
    direction = "taken from" if adjustment.amount_minor < 0 else "given to"
    lines = [
        f"Adjustment {adjustment.adjustment_id}: {adjustment.state}",
        f"{amount}, {direction} partner {adjustment.partner_id}",
        f"Proposed by {adjustment.proposed_by} at "
        f"{minute(parse_instant(adjustment.proposed_at))} UTC: {adjustment.proposal_reason}",
        f"Evidence: {adjustment.evidence}",
    ]
    if adjustment.lead_id:
        lines.append(f"Lead: {adjustment.lead_id}")
    if adjustment.corrects_entry_id:
        lines.append(f"Corrects entry {adjustment.corrects_entry_id}")
    if adjustment.decided_at:
        lines.append(f"Decided by {adjustment.decided_by}: {adjustment.reason}")
    if adjustment.effective_date:
        lines.append(
            f"Effective {adjustment.effective_date}, payable from {adjustment.available_date}"
        )
    elif adjustment.asked_available_date:
        lines.append(f"Not payable before {adjustment.asked_available_date}")
    if adjustment.segment is not None:
        lines.append(f"Posted as entry {adjustment.entry_id} in segment {adjustment.segment}")
    out().print("\n".join(lines))


def _print_events(events: list[Event]) -> None:
    out().print()
    print_table(
        "Decisions",
        ("at (UTC)", "what", "who", "identity", "reason"),
        [
            (each.recorded_at, each.kind.removeprefix("adjustment_"), each.actor,
             each.identity_level, each.reason)
            for each in events
        ],
    )  # fmt: skip
