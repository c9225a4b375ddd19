"""`partnerledger payee details …`: where a partner is paid, decided on by two people.

What does not belong here: who may change what (`payouts.payee_details`) and how details are kept
(`payouts.vault`). No command prints a detail: rail, last four characters and fingerprint only.
"""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

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
    open_workspace,
    out,
    print_json,
    print_table,
    require_partner,
)
from orchestration.cli_decision_options import (
    PrintMessageOption,
    SignatureOption,
    Signing,
    SignOption,
)

if TYPE_CHECKING:
    from payouts.details import Details
    from payouts.payee_details_records import DetailsRecord
    from program.load import Workspace

_FILE_BYTES = 65_536
# Characters: enough to see that two are the same.
FINGERPRINT_SHOWN = 12
details_app = typer.Typer(
    help="A partner's payout details: proposed, confirmed, approved by somebody else.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


class Rail(StrEnum):
    """Rails that need details."""

    SEPA = "sepa"
    NACHA = "nacha"
    PAYPAL = "paypal"
    WISE = "wise"


PartnerArgument = Annotated[str, typer.Argument(metavar="PARTNER", help="Id of the partner.")]
RailOption = Annotated[Rail, typer.Option("--rail", help="How it is paid.")]
FileOption = Annotated[
    str,
    typer.Option(
        "--file", metavar="FILE", help="JSON object of the rail's fields; - for standard input."
    ),
]
DetailsOption = Annotated[
    str, typer.Option("--details", metavar="ID", help="Id of the proposed details.")
]
ReasonOption = Annotated[str, typer.Option("--reason", help="Why; kept with the event.")]
NoteOption = Annotated[str, typer.Option("--reason", help="A note kept with the event.")]


def add_commands(payee_app: typer.Typer) -> None:
    """Add the group to `payee`."""
    payee_app.add_typer(details_app, name="details")


@details_app.command("set")
def propose(
    partner_id: PartnerArgument,
    rail: RailOption,
    file: FileOption,
    reason: NoteOption = "",
    home: HomeOption = DEFAULT_HOME,
    program: ProgramOption = None,
    actor: ActorOption = "",
    as_json: JsonOption = False,
) -> None:
    """Propose where a partner is paid. Somebody else of finance approves it."""
    from payouts.payee_details import partner_owner

    require_partner(home, partner_id)
    record = propose_for(partner_owner(partner_id), rail, file, reason, home, program, actor)
    print_proposed(record, as_json, f"payee details approve {partner_id}")


@details_app.command("confirm")
def confirm(
    partner_id: PartnerArgument,
    details_id: DetailsOption,
    reason: Annotated[
        str,
        typer.Option(
            "--reason", help="How the contact known before was asked; no address, no number."
        ),
    ],
    sign: SignOption = None,
    signature: SignatureOption = None,
    print_message: PrintMessageOption = False,
    home: HomeOption = DEFAULT_HOME,
    program: ProgramOption = None,
    actor: ActorOption = "",
    as_json: JsonOption = False,
) -> None:
    """Record that the contact known before a change was asked and agrees."""
    from payouts.payee_details import confirm_details, partner_owner

    owner, signing = partner_owner(partner_id), Signing(sign, signature, print_message)
    signed = _signed(signing, owner, details_id, home, actor, is_confirmation=True)
    if print_message:
        return
    record = _decide(
        confirm_details, owner, details_id, reason, home, open_workspace(program), actor,
        signature=signed,
    )  # fmt: skip
    print_records([record], as_json)


@details_app.command("approve")
def approve(
    partner_id: PartnerArgument,
    details_id: DetailsOption,
    reason: ReasonOption,
    sign: SignOption = None,
    signature: SignatureOption = None,
    print_message: PrintMessageOption = False,
    home: HomeOption = DEFAULT_HOME,
    program: ProgramOption = None,
    actor: ActorOption = "",
    as_json: JsonOption = False,
) -> None:
    """Put proposed details in force; finance, and never who proposed them.

    With a screening program the partner is screened at once, by the holder of the account.
    """
    from payouts.payee_details import partner_owner

    signing = Signing(sign, signature, print_message)
    record = approve_for(
        partner_owner(partner_id), details_id, reason, home, program, actor, signing
    )
    if record is None:
        return
    print_records([record], as_json)
    answers = _screen_after_change(home, partner_id, actor)
    if as_json:
        return
    if record.cooling_off_until:
        out().print(f"Cooling off: not paid before {record.cooling_off_until}.")
    if answers:
        from orchestration.cli_payees import print_answers

        print_answers(answers)


@details_app.command("reject")
def reject(
    partner_id: PartnerArgument,
    details_id: DetailsOption,
    reason: ReasonOption,
    home: HomeOption = DEFAULT_HOME,
    program: ProgramOption = None,
    actor: ActorOption = "",
    as_json: JsonOption = False,
) -> None:
    """Reject proposed details, or take back one's own; they are shredded, those in force stay."""
    from payouts.payee_details import partner_owner

    record = reject_for(partner_owner(partner_id), details_id, reason, home, program, actor)
    print_records([record], as_json)


@details_app.command("show")
def show(
    partner_id: PartnerArgument, home: HomeOption = DEFAULT_HOME, as_json: JsonOption = False
) -> None:
    """Show every proposal of a partner's details and what became of it."""
    from payouts.payee_details import partner_owner
    from payouts.payee_details_records import load_details

    with open_control(home) as store, store.read() as connection:
        records = load_details(connection, partner_owner(partner_id))
    if not records:
        require_partner(home, partner_id)
    print_records(records, as_json)


@details_app.command("duplicates")
def duplicates(home: HomeOption = DEFAULT_HOME, as_json: JsonOption = False) -> None:
    """List accounts that several partners are, or would be, paid to."""
    from payouts.payee_details_records import load_duplicate_accounts

    with open_control(home) as store, store.read() as connection:
        shared = load_duplicate_accounts(connection)
    if as_json:
        print_json(shared)
        return
    print_table(
        "Shared accounts",
        ("account", "partners"),
        [
            (each.account_fingerprint[:FINGERPRINT_SHOWN], ", ".join(each.partner_ids))
            for each in shared
        ],
    )


def propose_for(
    owner: str, rail: Rail, file: str, reason: str, home: Path, program: Path | None, actor: str
) -> DetailsRecord:
    """Propose details of a partner or payer from a file. Raises: errors of the decision."""
    from orchestration.clock import utc_now
    from payouts.payee_details import propose_details
    from payouts.terms import approval_rules
    from payouts.vault import open_vault

    details = _read_details(owner, rail, file)
    rules = approval_rules(open_workspace(program))
    with open_control(home) as store:
        return propose_details(
            store,
            open_vault(home),
            owner,
            details,
            actor=actor_name(actor),
            rules=rules,
            recorded_at=utc_now(),
            reason=reason,
        )


def _read_details(owner: str, rail: Rail, file: str) -> Details:
    """The fields of a rail from a JSON object. No message repeats what was read."""
    import json

    from payouts.details import PAYEE_KINDS, PAYER_KINDS, details_of
    from payouts.payee_state import PAYER_PREFIX

    try:
        if file == "-":
            text = sys.stdin.read(_FILE_BYTES)
        else:
            with Path(file).open(encoding="utf-8") as stream:
                text = stream.read(_FILE_BYTES)
    except (OSError, UnicodeDecodeError) as error:
        fault = getattr(error, "strerror", None) or "it is not UTF-8"
        raise CommandError(f"{file} cannot be read: {fault}", "Name another file.") from None
    try:
        values = json.loads(text)
    except (ValueError, RecursionError):
        values = None
    if not isinstance(values, dict):
        raise CommandError(
            f"{'standard input' if file == '-' else file} is not one JSON object",
            "docs/runbooks/payee-details.md shows the fields of each rail.",
        )
    kinds = PAYER_KINDS if owner.startswith(PAYER_PREFIX) else PAYEE_KINDS
    return details_of(kinds[str(rail)], values)


def approve_for(
    owner: str,
    details_id: str,
    reason: str,
    home: Path,
    program: Path | None,
    actor: str,
    signing: Signing,
) -> DetailsRecord | None:
    """Approve details of a partner or payer; None when only the text to sign was asked for.

    Raises: errors of the decision.
    """
    from payouts.payee_details import approve_details
    from payouts.terms import payout_rules

    workspace = open_workspace(program)
    signature = _signed(signing, owner, details_id, home, actor, is_confirmation=False)
    if signing.is_print:
        return None
    return _decide(
        approve_details, owner, details_id, reason, home, workspace, actor,
        cooling_off_days=payout_rules(workspace).cooling_off_days,
        timezone=workspace.program.program.timezone, signature=signature,
    )  # fmt: skip


def _signed(
    signing: Signing,
    owner: str,
    details_id: str,
    home: Path,
    actor: str,
    *,
    is_confirmation: bool,
) -> str | None:
    """The signature of a decision on details, None without one; or its text, printed."""
    from payouts.payee_details import details_message

    if not signing.is_asked:
        return None
    with open_control(home) as store, store.read() as connection:
        message = details_message(
            connection,
            owner,
            details_id,
            is_confirmation=is_confirmation,
            actor=actor_name(actor),
        )
    return None if signing.is_printed(message) else signing.of(message)


def reject_for(
    owner: str, details_id: str, reason: str, home: Path, program: Path | None, actor: str
) -> DetailsRecord:
    """Reject details of a partner or payer. Raises: errors of the decision."""
    from payouts.payee_details import reject_details
    from payouts.vault import open_vault

    return _decide(
        reject_details, owner, details_id, reason, home, open_workspace(program), actor,
        vault=open_vault(home),
    )  # fmt: skip


def _decide(
    decision: Any,
    owner: str,
    details_id: str,
    reason: str,
    home: Path,
    workspace: Workspace,
    actor: str,
    **more: Any,
) -> DetailsRecord:
    from orchestration.clock import utc_now
    from payouts.terms import approval_rules

    rules = approval_rules(workspace)
    with open_control(home) as store:
        return decision(
            store,
            owner=owner,
            details_id=details_id,
            reason=reason,
            actor=actor_name(actor),
            rules=rules,
            recorded_at=utc_now(),
            **more,
        )


def _screen_after_change(home: Path, partner_id: str, actor: str) -> list:
    """Screening at a change of details, where a program is configured."""
    from orchestration.cli_payees import screen_partners
    from payouts.screening import configured_command

    command = configured_command()
    if command is None:
        return []
    with open_control(home) as store:
        return screen_partners(store, home, [partner_id], {}, command, actor_name(actor))


def print_proposed(record: DetailsRecord, as_json: bool, next_command: str) -> None:
    """A proposal, what is odd about it, and what comes next."""
    print_records([record], as_json)
    if as_json:
        return
    if record.same_account_as:
        out().print(f"The same account is that of {', '.join(record.same_account_as)}: look why.")
    if record.confirmation_needed:
        out().print(
            "This changes the account: ask the contact known before, not the one that asked for "
            "the change, and record it with `partnerledger payee details confirm`."
        )
    out().print(
        f"Next, by somebody else of finance: partnerledger {next_command} --details "
        f"{record.details_id} --reason …. Delete the file that held the details."
    )


def print_records(records: list[DetailsRecord], as_json: bool) -> None:
    """Proposals and what became of them; people without the domain of their address."""
    from payouts.texts import shown_actor

    if as_json:
        people = ("proposed_by", "confirmed_by", "decided_by")
        print_json(
            [
                {**vars(each), **{name: shown_actor(getattr(each, name) or "") for name in people}}
                for each in records
            ]
        )
        return
    print_table(
        "Payout details",
        ("details", "of", "rail", "ending in", "state", "proposed by", "confirmed", "decided by",
         "cooling off until"),
        [
            (each.details_id, each.owner.partition(":")[2], each.rail, each.last_four, each.state,
             shown_actor(each.proposed_by), _confirmation(each),
             shown_actor(each.decided_by or ""), each.cooling_off_until)
            for each in records
        ],
        whole=("details",),
    )  # fmt: skip


def _confirmation(record: DetailsRecord) -> str:
    from payouts.texts import shown_actor

    if record.confirmed_by:
        return f"by {shown_actor(record.confirmed_by)}"
    return "needed" if record.waits_for_confirmation else ""
