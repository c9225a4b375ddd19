"""`partnerledger rule …`: rulings on who is credited for a lead, by two people, with evidence.

What does not belong here: the rules of deciding (`payouts.rulings`) and what a ruling does to
credits and entries (the models do that in the next night).
"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated, Any

import typer

from orchestration.cli_common import (
    DEFAULT_HOME,
    ActorOption,
    CommandError,
    HomeOption,
    JsonOption,
    ProgramOption,
    actor_name,
    open_control,
    open_published,
    open_workspace,
    out,
    print_json,
    print_table,
    require_partner,
    require_role,
)

app = typer.Typer(
    help="Rulings: who is credited for a lead, by decision of two people.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
RulingArgument = Annotated[str, typer.Argument(metavar="RULING", help="Id that `rule list` shows.")]
ReasonOption = Annotated[str, typer.Option("--reason", help="Why; kept with the decision.")]
_PPM_OF_PERCENT = 10_000
_NEXT_NIGHT = "It counts from the next night on: run `partnerledger run`, or wait for it."
_STATES = ("proposed", "approved", "declined", "revoked")


@app.command("propose")
def propose(
    lead: Annotated[
        str,
        typer.Argument(metavar="LEAD", help="Lead, customer, company domain, submission or touch."),
    ],
    reason: ReasonOption,
    evidence: Annotated[str, typer.Option("--evidence", help="Reference to what proves it.")],
    credit: Annotated[
        list[str] | None,
        typer.Option(
            "--credit",
            metavar="PARTNER=SHARE",
            help="Share in percent, up to four decimals; repeat it. Together exactly 100.",
        ),
    ] = None,
    partner: Annotated[
        str | None, typer.Option("--partner", metavar="PARTNER", help="Credit this one alone.")
    ] = None,
    is_nobody: Annotated[bool, typer.Option("--nobody", help="Credit nobody.")] = False,
    home: HomeOption = DEFAULT_HOME,
    program: ProgramOption = None,
    actor: ActorOption = "",
    as_json: JsonOption = False,
) -> None:
    """Propose who is credited. It changes nothing until another person approves it."""
    shares = _shares(credit or [], partner, is_nobody)
    from orchestration.clock import utc_now
    from orchestration.lead_control import ruling_record
    from orchestration.lead_references import require_lead
    from payouts.rulings import propose_ruling

    require_role(program, actor_name(actor), "propose a ruling")
    for partner_id in shares:
        require_partner(home, partner_id)
    with open_published(home) as connection:
        lead_id = require_lead(connection, lead)
    with open_control(home) as store:
        ruling = ruling_record(
            propose_ruling(
                store,
                lead_id=lead_id,
                credits=shares,
                reason=reason,
                evidence=evidence,
                actor=actor_name(actor),
                recorded_at=utc_now(),
            )  # fmt: skip
        )
    _print_ruling(home, ruling, as_json)
    if not as_json:
        out().print(
            "It changes nothing yet. Another person approves it:\n"
            f"  partnerledger rule approve {ruling['ruling_id']} --reason … --as EMAIL"
        )


@app.command("approve")
def approve(
    ruling_id: RulingArgument,
    reason: ReasonOption,
    home: HomeOption = DEFAULT_HOME,
    program: ProgramOption = None,
    actor: ActorOption = "",
    as_json: JsonOption = False,
) -> None:
    """Approve a ruling. Four eyes: not by who proposed it."""
    _decide(ruling_id, True, reason, home, program, actor, as_json)


@app.command("decline")
def decline(
    ruling_id: RulingArgument,
    reason: ReasonOption,
    home: HomeOption = DEFAULT_HOME,
    program: ProgramOption = None,
    actor: ActorOption = "",
    as_json: JsonOption = False,
) -> None:
    """Decline a proposed ruling. The lead stays credited as it is."""
    _decide(ruling_id, False, reason, home, program, actor, as_json)


@app.command("revoke")
def revoke(
    ruling_id: RulingArgument,
    reason: ReasonOption,
    home: HomeOption = DEFAULT_HOME,
    program: ProgramOption = None,
    actor: ActorOption = "",
    as_json: JsonOption = False,
) -> None:
    """Revoke an approved ruling. The lead is credited as it would be without it; that is final."""
    from orchestration.clock import utc_now
    from orchestration.lead_control import ruling_record
    from payouts.rulings import revoke_ruling
    from payouts.terms import approval_rules

    rules = approval_rules(open_workspace(program))
    with open_control(home) as store:
        ruling = ruling_record(
            revoke_ruling(
                store,
                ruling_id=ruling_id,
                reason=reason,
                actor=actor_name(actor),
                rules=rules,
                recorded_at=utc_now(),
            )  # fmt: skip
        )
    if as_json:
        print_json(ruling)
        return
    out().print(f"Ruling {ruling_id} is revoked. {_NEXT_NIGHT}")


@app.command("list")
def list_rulings(
    state: Annotated[
        str | None, typer.Option("--state", help="proposed, approved, declined or revoked.")
    ] = None,
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
) -> None:
    """List all rulings, oldest proposal first."""
    if state is not None and state not in _STATES:
        raise typer.BadParameter(f"one of {', '.join(_STATES)}", param_hint="--state")
    from orchestration.lead_control import ruling_records
    from orchestration.lead_timeline import credits_text

    with open_control(home) as store, store.read() as connection:
        rulings = [row for row in ruling_records(connection) if state in (None, row["state"])]
    if as_json:
        print_json(rulings)
        return
    print_table(
        "Rulings",
        ("ruling", "lead", "state", "credits", "proposed by", "decided by", "reason"),
        [
            (row["ruling_id"], row["lead_id"], row["state"], credits_text(row["credits"]),
             row["proposed_by"], row["decided_by"], row["reason"])
            for row in rulings
        ],
    )  # fmt: skip


@app.command("show")
def show(
    ruling_id: RulingArgument, home: HomeOption = DEFAULT_HOME, as_json: JsonOption = False
) -> None:
    """Show a ruling and what it changes. Reason, evidence, present credits beside its own."""
    from orchestration.lead_control import ruling_records

    with open_control(home) as store, store.read() as connection:
        found = [row for row in ruling_records(connection) if row["ruling_id"] == ruling_id]
    if not found:
        raise CommandError(
            f"there is no ruling {ruling_id!r}", "`partnerledger rule list` shows them."
        )
    _print_ruling(home, found[0], as_json)


def _decide(
    ruling_id: str,
    is_approved: bool,
    reason: str,
    home: Path,
    program: Path | None,
    actor: str,
    as_json: bool,
) -> None:
    from orchestration.clock import utc_now
    from orchestration.lead_control import ruling_record
    from payouts.rulings import decide_ruling
    from payouts.terms import approval_rules

    rules = approval_rules(open_workspace(program))
    with open_control(home) as store:
        ruling = ruling_record(
            decide_ruling(
                store,
                ruling_id=ruling_id,
                is_approved=is_approved,
                reason=reason,
                actor=actor_name(actor),
                rules=rules,
                recorded_at=utc_now(),
            )  # fmt: skip
        )
    _print_ruling(home, ruling, as_json)
    if is_approved and not as_json:
        out().print(_NEXT_NIGHT)


def _shares(credit: list[str], partner: str | None, is_nobody: bool) -> dict[str, int]:
    """Parts per million by partner, of what was asked; empty for nobody. Raises: BadParameter."""
    hint = "--credit, --partner or --nobody"
    if sum((bool(credit), partner is not None, is_nobody)) != 1:
        raise typer.BadParameter("give exactly one of the three", param_hint=hint)
    if not credit:
        return {} if partner is None else {partner: 100 * _PPM_OF_PERCENT}
    shares: dict[str, int] = {}
    for text in credit:
        partner_id, _, share = text.rpartition("=")
        if not partner_id or partner_id in shares:
            raise typer.BadParameter(
                f"{text!r}: write PARTNER=SHARE, each partner once", param_hint="--credit"
            )
        shares[partner_id] = _parts_per_million(share.strip().removesuffix("%"))
    total = sum(shares.values())
    if total != 100 * _PPM_OF_PERCENT:
        from orchestration.lead_timeline import percent

        raise typer.BadParameter(
            f"the shares add up to {percent(total)}, not to 100 %", param_hint="--credit"
        )
    return shares


def _parts_per_million(share: str) -> int:
    try:
        parts = Decimal(share) * _PPM_OF_PERCENT
        is_exact = parts == parts.to_integral_value()
    except InvalidOperation:
        is_exact = False
    if not is_exact or not 0 < parts <= 100 * _PPM_OF_PERCENT:
        raise typer.BadParameter(
            f"{share!r} is no share; write percent with up to four decimals, as in p_1=62.5",
            param_hint="--credit",
        )
    return int(parts)


def _print_ruling(home: Path, ruling: dict[str, Any], as_json: bool) -> None:
    """A ruling, and beside what it credits: who is credited now, and what was earned so far."""
    from orchestration.lead_rulings import comparison

    with open_published(home) as connection:
        compared = comparison(connection, ruling["lead_id"], ruling["credits"])
    if as_json:
        print_json({**ruling, "compared": compared})
        return
    from orchestration.lead_text import print_comparison

    decided = f" by {ruling['decided_by']}: {ruling['reason']}" if ruling["decided_by"] else ""
    out().print(
        f"Ruling {ruling['ruling_id']} on {ruling['lead_id']}: {ruling['state']}{decided}\n"
        f"Proposed by {ruling['proposed_by']} at {ruling['proposed_at']:%Y-%m-%d %H:%M} UTC: "
        f"{ruling['proposal_reason']}\n"
        f"Evidence: {ruling['evidence']}\n"
    )
    print_comparison(compared)
