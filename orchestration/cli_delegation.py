"""`partnerledger batches delegate|delegations|undelegate`: roles that are lent for a time.

What does not belong here: the rules of delegating (`payouts.delegation`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from orchestration.cli_common import (
    DEFAULT_HOME,
    ActorOption,
    HomeOption,
    JsonOption,
    ProgramOption,
    actor_name,
    money,
    open_control,
    open_workspace,
    out,
    parse_instant,
    print_json,
    print_table,
)
from orchestration.cli_decision_options import (
    PrintMessageOption,
    ReasonOption,
    RoleOption,
    SignatureOption,
    Signing,
    SignOption,
)

if TYPE_CHECKING:
    from payouts.delegation import Delegation


def add_commands(app: typer.Typer) -> None:
    """Add the commands of this module to `partnerledger batches`."""
    for command in (delegate, delegations, undelegate):
        app.command(command.__name__)(command)


def delegate(
    to: Annotated[str, typer.Option("--to", metavar="EMAIL", help="Who approves in your place.")],
    role: RoleOption,
    limit: Annotated[
        str,
        typer.Option("--limit", metavar="AMOUNT", help="Largest batch, as in '5,000.00 USD'."),
    ],
    until: Annotated[
        str,
        typer.Option(
            "--until", metavar="WHEN", help="When it ends: a day (its beginning) or time."
        ),
    ],
    reason: ReasonOption,
    begin: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="WHEN",
            help="When it begins; default: now. Needed to sign elsewhere.",
        ),
    ] = None,
    sign: SignOption = None,
    signature: SignatureOption = None,
    print_message: PrintMessageOption = False,
    home: HomeOption = DEFAULT_HOME,
    program: ProgramOption = None,
    actor: ActorOption = "",
    as_json: JsonOption = False,
) -> None:
    """Let another person approve in your place, up to an amount and for a time.

    Who approves so counts as both of you: you cannot approve the same batch, nor may you have
    proposed it.
    """
    from orchestration.clock import utc_now
    from payouts.delegation import delegate_role, delegation_message
    from payouts.one_click import parse_totals
    from payouts.terms import approval_rules

    signing = Signing(sign, signature, print_message)
    if begin is None and (signature is not None or print_message):
        raise typer.BadParameter(
            "give the beginning, which is part of what is signed", param_hint="--from"
        )
    workspace = open_workspace(program)
    timezone = workspace.program.program.timezone
    now = utc_now()
    ((code, limit_amount_minor),) = parse_totals([limit]).items()
    lent = {
        "delegate": to,
        "role": role.value,
        "limit_amount_minor": limit_amount_minor,
        "currency_code": code,
        "from_at": parse_instant(begin, "--from", timezone) or now,
        "to_at": parse_instant(until, "--until", timezone),
        "actor": actor_name(actor),
    }
    message = delegation_message(**lent)
    if signing.is_printed(message):
        return
    with open_control(home) as store:
        granted = delegate_role(
            store,
            **lent,
            reason=reason,
            rules=approval_rules(workspace),
            recorded_at=now,
            signature=signing.of(message),
        )
    if as_json:
        print_json(granted)
        return
    out().print(
        f"{granted.delegation_id}: {granted.delegate} approves as {granted.role} for "
        f"{granted.delegator}, batches of up to {_limit(granted)}, from {granted.from_at} to "
        f"{granted.to_at} (UTC)"
    )


def delegations(home: HomeOption = DEFAULT_HOME, as_json: JsonOption = False) -> None:
    """List all delegations, ended and revoked ones too."""
    from payouts.delegation import load_delegations

    with open_control(home) as store, store.read() as connection:
        found = load_delegations(connection)
    if as_json:
        print_json(found)
        return
    print_table(
        "Delegations",
        ("id", "from", "to", "role", "up to", "begins (UTC)", "ends (UTC)", "revoked", "reason"),
        [
            (each.delegation_id, each.delegator, each.delegate, each.role, _limit(each),
             each.from_at, each.to_at, each.revoked_at, each.reason)
            for each in found
        ],
        right=("up to",),
    )  # fmt: skip


def undelegate(
    delegation_id: Annotated[
        str, typer.Argument(metavar="DELEGATION", help="Id that `batches delegations` shows.")
    ],
    reason: ReasonOption,
    home: HomeOption = DEFAULT_HOME,
    program: ProgramOption = None,
    actor: ActorOption = "",
    as_json: JsonOption = False,
) -> None:
    """End a delegation now; what was approved under it stays approved."""
    from orchestration.clock import utc_now
    from payouts.delegation import revoke_delegation
    from payouts.terms import approval_rules

    rules = approval_rules(open_workspace(program))
    with open_control(home) as store:
        revoked = revoke_delegation(
            store, delegation_id, reason=reason, actor=actor_name(actor), rules=rules,
            recorded_at=utc_now(),
        )  # fmt: skip
    if as_json:
        print_json(revoked)
    else:
        out().print(f"Revoked {revoked.delegation_id}: {revoked.delegate} for {revoked.delegator}")


def _limit(delegation: Delegation) -> str:
    return money(delegation.limit_amount_minor, delegation.currency_code)
