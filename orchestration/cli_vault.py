"""`partnerledger payee payer|vault …`: the accounts that money leaves from, and the vault's upkeep.

What does not belong here: who may change what (`payouts.payee_details`) and how details are kept
(`payouts.vault`).
"""

from __future__ import annotations

from typing import Annotated

import typer

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
    out,
    print_json,
    print_table,
)
from orchestration.cli_decision_options import (
    PrintMessageOption,
    SignatureOption,
    Signing,
    SignOption,
)
from orchestration.cli_payee_details import (
    FINGERPRINT_SHOWN,
    DetailsOption,
    FileOption,
    NoteOption,
    Rail,
    RailOption,
    ReasonOption,
    approve_for,
    print_proposed,
    print_records,
    propose_for,
    reject_for,
)

payer_app = typer.Typer(
    help="The account that each rail pays from; four eyes as for details.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
vault_app = typer.Typer(
    help="The encrypted vault of payout details.", no_args_is_help=True, rich_markup_mode=None
)
RailArgument = Annotated[Rail, typer.Argument(metavar="RAIL", help="sepa, nacha, paypal, wise.")]


def add_commands(payee_app: typer.Typer) -> None:
    """Add both groups to `payee`."""
    payee_app.add_typer(payer_app, name="payer")
    payee_app.add_typer(vault_app, name="vault")


@payer_app.command("set")
def propose_payer(
    rail: RailOption,
    file: FileOption,
    reason: NoteOption = "",
    home: HomeOption = DEFAULT_HOME,
    program: ProgramOption = None,
    actor: ActorOption = "",
    as_json: JsonOption = False,
) -> None:
    """Propose the account that a rail pays from. Somebody else of finance approves it."""
    from payouts.payee_details import payer_owner

    record = propose_for(payer_owner(str(rail)), rail, file, reason, home, program, actor)
    print_proposed(record, as_json, f"payee payer approve {rail}")


@payer_app.command("approve")
def approve_payer(
    rail: RailArgument,
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
    """Put a proposed account in force; finance, and never who proposed it."""
    from payouts.payee_details import payer_owner

    signing = Signing(sign, signature, print_message)
    record = approve_for(payer_owner(str(rail)), details_id, reason, home, program, actor, signing)
    if record is not None:
        print_records([record], as_json)


@payer_app.command("reject")
def reject_payer(
    rail: RailArgument,
    details_id: DetailsOption,
    reason: ReasonOption,
    home: HomeOption = DEFAULT_HOME,
    program: ProgramOption = None,
    actor: ActorOption = "",
    as_json: JsonOption = False,
) -> None:
    """Reject a proposed account, or take back one's own proposal; the one in force stays."""
    from payouts.payee_details import payer_owner

    record = reject_for(payer_owner(str(rail)), details_id, reason, home, program, actor)
    print_records([record], as_json)


@payer_app.command("list")
def list_payers(home: HomeOption = DEFAULT_HOME, as_json: JsonOption = False) -> None:
    """List the accounts that are paid from."""
    from payouts.payees import known_payers

    with open_control(home) as store, store.read() as connection:
        payers = [payer for _, payer in sorted(known_payers(connection).items())]
    if as_json:
        print_json(payers)
        return
    print_table(
        "Accounts to pay from",
        ("rail", "details", "ending in", "fingerprint", "waiting"),
        [
            (each.rail, each.details_id, each.last_four,
             (each.fingerprint or "")[:FINGERPRINT_SHOWN], each.pending_details_id)
            for each in payers
        ],
    )  # fmt: skip


@vault_app.command("rotate")
def rotate(
    home: HomeOption = DEFAULT_HOME, actor: ActorOption = "", as_json: JsonOption = False
) -> None:
    """Put every row under the first key of PARTNERLEDGER_VAULT_KEY, written as new,old."""
    from orchestration.clock import utc_now
    from payouts.vault import open_vault
    from payouts.vault_upkeep import rotate_vault

    vault = open_vault(home)
    with open_control(home) as store:
        rotated = rotate_vault(store, vault, actor=actor_name(actor), recorded_at=utc_now())
    if as_json:
        print_json({"key_id": vault.key_id, "rows": rotated})
        return
    out().print(
        f"{counted(rotated, 'row')} of the vault now under key {vault.key_id}. Take the old key "
        "out of the variable, and destroy it once no backup needs it."
    )


@vault_app.command("check")
def check(home: HomeOption = DEFAULT_HOME, as_json: JsonOption = False) -> None:
    """Open every row, and look for details that were decided on and are not there."""
    from payouts.vault import open_vault
    from payouts.vault_upkeep import vault_faults

    with open_control(home) as store:
        faults = vault_faults(store, open_vault(home))
    if as_json:
        print_json(faults)
    if faults:
        raise CommandError(
            f"{counted(len(faults), 'fault')} in the vault: {faults[0]}",
            "" if len(faults) == 1 else "`payee vault check --json` shows them all.",
        )
    if not as_json:
        out().print("The vault opens, and holds all details in force.")
