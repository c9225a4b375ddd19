"""`partnerledger batches …`: what people decide. Every decision is an event with its actor.

What does not belong here: the rules of deciding (`payouts.approvals`, `payouts.holds`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from orchestration import cli_delegation, cli_pay, cli_purge
from orchestration.cli_common import (
    DEFAULT_HOME,
    ActorOption,
    CommandError,
    HomeOption,
    JsonOption,
    ProgramOption,
    actor_name,
    counted,
    open_control,
    open_published,
    open_workspace,
    out,
    print_json,
    print_table,
    query,
)
from orchestration.cli_decision_options import (
    BatchArgument,
    PrintMessageOption,
    ReasonOption,
    RoleOption,
    SignatureOption,
    Signing,
    SignOption,
)

if TYPE_CHECKING:
    from payouts.states import Approval, BatchState
    from payouts.store import Store
    from payouts.terms import ApprovalRules


class HoldSubject(StrEnum):
    """What can be held."""

    LINE = "line"
    LEAD = "lead"
    PARTNER = "partner"


def add_decisions(app: typer.Typer) -> None:
    """Add the commands of this module to `partnerledger batches`."""
    for command in (approve, reject, revoke, hold, release, holds):
        app.command(command.__name__)(command)
    cli_delegation.add_commands(app)
    cli_pay.add_commands(app)
    cli_purge.add_purge(app)


def approve(
    batch_id: BatchArgument,
    role: RoleOption,
    given_hash: Annotated[
        str,
        typer.Option("--hash", help="Content hash that `batches show` prints; 12 characters do."),
    ],
    sign: SignOption = None,
    signature: SignatureOption = None,
    print_message: PrintMessageOption = False,
    home: HomeOption = DEFAULT_HOME,
    program: ProgramOption = None,
    actor: ActorOption = "",
    as_json: JsonOption = False,
) -> None:
    """Approve exactly the content with this hash. Four eyes: neither the maker, nor twice."""
    signing = Signing(sign, signature, print_message)
    from orchestration.batch_actions import full_hash
    from orchestration.clock import utc_now
    from payouts.approvals import approve as record_approval
    from payouts.records import list_batches, load_content, load_state
    from payouts.signatures import approval_message
    from payouts.terms import approval_rules

    rules = approval_rules(open_workspace(program))
    with open_control(home) as store:
        with store.read() as connection:
            content = load_content(connection, batch_id)
            state = load_state(connection, batch_id)
            hashes = {batch.batch_id: batch.content_hash for batch in list_batches(connection)}
        approved_hash = full_hash(given_hash, batch_id, hashes)
        message = approval_message(content, approved_hash, role.value, state.approval_round)
        if signing.is_printed(message):
            return
        state = record_approval(
            store,
            home,
            batch_id,
            approved_hash=approved_hash,
            actor=actor_name(actor),
            role=role.value,
            rules=rules,
            recorded_at=utc_now(),
            signature=signing.of(message),
        )
        missing = _missing_approvals(store, state, rules)
    _print_state(state, as_json, missing)


def reject(
    batch_id: BatchArgument,
    reason: ReasonOption,
    sign: SignOption = None,
    signature: SignatureOption = None,
    print_message: PrintMessageOption = False,
    home: HomeOption = DEFAULT_HOME,
    program: ProgramOption = None,
    actor: ActorOption = "",
    as_json: JsonOption = False,
) -> None:
    """Reject a batch that was not exported; its entries are free for a new proposal."""
    signing = Signing(sign, signature, print_message)
    from orchestration.clock import utc_now
    from payouts.approvals import reject as record_rejection
    from payouts.approvals import rejection_message
    from payouts.terms import approval_rules

    rules, name = approval_rules(open_workspace(program)), actor_name(actor)
    with open_control(home) as store:
        is_printed, signed = signing.signed(lambda: rejection_message(batch_id, name))
        if is_printed:
            return
        state = record_rejection(
            store, home, batch_id, reason=reason, actor=name, rules=rules,
            recorded_at=utc_now(), signature=signed,
        )  # fmt: skip
    _print_state(state, as_json)


def revoke(
    batch_id: BatchArgument,
    reason: Annotated[str, typer.Option("--reason", help="Why; kept with the decision.")] = "",
    home: HomeOption = DEFAULT_HOME,
    actor: ActorOption = "",
    as_json: JsonOption = False,
) -> None:
    """Take back your own approval before the export."""
    from orchestration.clock import utc_now
    from payouts.approvals import revoke as record_revocation

    with open_control(home) as store:
        state = record_revocation(
            store, batch_id, actor=actor_name(actor), recorded_at=utc_now(), reason=reason
        )
    _print_state(state, as_json)


def hold(
    subject: Annotated[HoldSubject, typer.Argument(help="What is held.")],
    subject_id: Annotated[
        str,
        typer.Argument(
            metavar="ID", help="Commission id, lead id (an older one too) or partner id."
        ),
    ],
    reason: ReasonOption,
    home: HomeOption = DEFAULT_HOME,
    program: ProgramOption = None,
    actor: ActorOption = "",
    as_json: JsonOption = False,
) -> None:
    """Hold a line, a lead or a partner: not payable while open; live batches with it go stale."""
    from orchestration.clock import utc_now
    from payouts.holds import open_hold
    from payouts.terms import approval_rules

    rules = approval_rules(open_workspace(program))
    subject_id = _known_subject(home, subject, subject_id)
    with open_control(home) as store:
        opened, stale = open_hold(
            store, home, subject_type=subject.value, subject_id=subject_id, reason=reason,
            actor=actor_name(actor), rules=rules, recorded_at=utc_now(),
        )  # fmt: skip
    if as_json:
        print_json({**vars(opened), "stale_batches": stale})
        return
    out().print(f"Held {subject.value} {subject_id}: {opened.hold_id}")
    for batch_id in stale:
        out().print(f"Batch {batch_id} is stale now; propose again without what is held.")


def release(
    hold_id: Annotated[str, typer.Argument(metavar="HOLD", help="Id that `batches holds` shows.")],
    reason: ReasonOption,
    sign: SignOption = None,
    signature: SignatureOption = None,
    print_message: PrintMessageOption = False,
    home: HomeOption = DEFAULT_HOME,
    program: ProgramOption = None,
    actor: ActorOption = "",
    as_json: JsonOption = False,
) -> None:
    """Release a hold; what was held is payable again from the next proposal on."""
    signing = Signing(sign, signature, print_message)
    from orchestration.clock import utc_now
    from payouts.holds import release_hold, release_message
    from payouts.terms import approval_rules

    rules, name = approval_rules(open_workspace(program)), actor_name(actor)
    with open_control(home) as store:
        is_printed, signed = signing.signed(lambda: release_message(hold_id, name))
        if is_printed:
            return
        released = release_hold(
            store, hold_id, reason=reason, actor=name, rules=rules,
            recorded_at=utc_now(), signature=signed,
        )  # fmt: skip
    if as_json:
        print_json(released)
    else:
        out().print(f"Released {released.hold_id}: {released.subject_type} {released.subject_id}")


def holds(home: HomeOption = DEFAULT_HOME, as_json: JsonOption = False) -> None:
    """List all holds that people opened, released ones too."""
    from payouts.holds import load_holds

    with open_control(home) as store, store.read() as connection:
        found = load_holds(connection)
    if as_json:
        print_json(found)
        return
    print_table(
        "Holds",
        ("hold", "on", "id", "open", "since (UTC)", "reason"),
        [
            (each.hold_id, each.subject_type, each.subject_id, "yes" if each.is_open else "no",
             each.opened_at, each.reason)
            for each in found
        ],
    )  # fmt: skip


_SUBJECT_KEYS = {
    "line": ("marts.fct_commission_entries", "commission_id", "see `partnerledger explain ENTRY`"),
    "lead": ("marts.fct_leads", "lead_id", "`partnerledger lead list` lists them"),
    "partner": ("marts.dim_partners", "partner_id", "`partnerledger partner list` lists them"),
}


def _known_subject(home: Path, subject: HoldSubject, subject_id: str) -> str:
    """The id as it is now. A hold on a mistyped id would hold nothing, and the payout go out."""
    from orchestration.lead_references import present_lead_id

    relation, column, where = _SUBJECT_KEYS[subject.value]
    with open_published(home) as connection:
        if subject is HoldSubject.LEAD:
            subject_id = present_lead_id(connection, subject_id)
        known = query(
            connection, f"select 1 from {relation} where {column} = ? limit 1", [subject_id]
        )
    if not known:
        raise CommandError(
            f"nothing was held: the published snapshot has no {column} {subject_id!r}",
            f"Name a {column}; {where}.",
        )
    return subject_id


def _missing_approvals(store: Store, state: BatchState, rules: ApprovalRules) -> dict[str, int]:
    """Approvals that the terms still ask for, per role."""
    from payouts.approval_checks import required_approvals
    from payouts.records import load_content

    with store.read() as connection:
        required = required_approvals(load_content(connection, state.batch_id), rules)
    given = Counter(approval.role for approval in state.approvals)
    return {role: count - given[role] for role, count in required.items() if count > given[role]}


def _print_state(
    state: BatchState, as_json: bool, missing: Mapping[str, int] | None = None
) -> None:
    if as_json:
        print_json(
            {
                "batch_id": state.batch_id,
                "state": state.state,
                "content_hash": state.content_hash,
                "approvals": [vars(approval) for approval in state.approvals],
                **({} if missing is None else {"missing_approvals": dict(missing)}),
            }
        )
        return
    approvals = ", ".join(_approval_text(each) for each in state.approvals)
    out().print(f"Batch {state.batch_id} is {state.state}; approvals: {approvals or 'none'}")
    for role, count in (missing or {}).items():
        out().print(f"It waits for {counted(count, 'approval')} as {role}.")


def _approval_text(approval: Approval) -> str:
    lent = f", for {approval.delegator}" if approval.delegator else ""
    signed = ", signed" if approval.signature else ""
    return f"{approval.actor} ({approval.role}{lent}{signed})"
