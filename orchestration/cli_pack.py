"""`partnerledger batches evidence`: all about one batch in one file, and holding it together.

What does not belong here: what is packed (`payouts.evidence_pack`) and what must agree
(`payouts.pack_checks`).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from orchestration.cli_common import (
    DEFAULT_HOME,
    CommandError,
    HomeOption,
    JsonOption,
    ProgramOption,
    counted,
    has_control,
    open_control,
    open_workspace,
    out,
    print_json,
)

if TYPE_CHECKING:
    from payouts.evidence_pack import TermsAtHand
    from program.load import Workspace


def add_pack(app: typer.Typer) -> None:
    """Add the command of this module to `partnerledger batches`."""
    app.command("evidence")(evidence)


def evidence(
    batch_id: Annotated[
        str | None, typer.Argument(metavar="BATCH", help="Id of the batch.")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            metavar="FILE",
            help="Where to write it; default: evidence.zip beside the batch's claims.",
            dir_okay=False,
        ),
    ] = None,
    checked: Annotated[
        Path | None,
        typer.Option(
            "--check", metavar="FILE", help="Hold an existing pack together.", dir_okay=False
        ),
    ] = None,
    home: HomeOption = DEFAULT_HOME,
    program: ProgramOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write the evidence of a batch as one file: content, decisions, checks, export, settlement.

    It names partners by id and holds no account. With --check: hash every member of a pack again
    and say what differs, also from the audit chain of --home when there is one.
    """
    if (batch_id is None) == (checked is None) or (checked is not None and output is not None):
        raise typer.BadParameter("give a batch, with or without --output, or --check FILE")
    if checked is not None:
        _check(checked, home, as_json)
    else:
        _write(batch_id or "", output, home, open_workspace(program), as_json)


def _write(
    batch_id: str, output: Path | None, home: Path, workspace: Workspace, as_json: bool
) -> None:
    from payouts.durable import write_durably
    from payouts.evidence_pack import evidence_pack, pack_path
    from payouts.hashing import sha256_bytes
    from payouts.verify import verify

    with open_control(home) as store:
        content = evidence_pack(
            store,
            home,
            batch_id,
            terms=terms_at_hand(workspace),
            findings=verify(home, store=store),
        )
        path = output or pack_path(home, batch_id)
    write_durably(path, content, "evidence")
    record = {
        "batch_id": batch_id,
        "path": path,
        "sha256": sha256_bytes(content),
        "bytes": len(content),
    }
    if as_json:
        print_json(record)
        return
    out().print(
        f"Evidence of batch {batch_id}, {record['bytes']:,} bytes\n"
        f"file     {path}\nsha256   {record['sha256']}\n"
        f"Hold it together with `partnerledger batches evidence --check {path}`."
    )


def _check(path: Path, home: Path, as_json: bool) -> None:
    from payouts.hashing import sha256_bytes
    from payouts.pack_checks import check_against_home, check_pack

    try:
        content = path.read_bytes()
    except OSError as error:
        raise CommandError(
            f"{path} cannot be read: {error.strerror or error}", "Name the file of a pack."
        ) from error
    faults = check_pack(content)
    is_held = False
    if not faults and has_control(home):
        is_held = True
        with open_control(home) as store, store.read() as connection:
            faults = check_against_home(connection, content)
    if as_json:
        print_json(
            {
                "path": path,
                "sha256": sha256_bytes(content),
                "faults": faults,
                "is_held_against_home": is_held,
            }
        )
    if faults:
        more = f" ({counted(len(faults) - 1, 'more fault')})" if len(faults) > 1 else ""
        raise CommandError(
            f"{path} is not what was written: {faults[0]}{more}",
            "Ask for the file again, or write it anew from the home.",
        )
    if not as_json:
        chain = "is in" if is_held else "was not held against"
        out().print(
            f"{path} is whole: every member has its hash.\n"
            f"Its end of the audit chain {chain} that of {home}."
        )


def terms_at_hand(workspace: Workspace) -> TermsAtHand:
    from payouts.evidence_pack import TermsAtHand
    from program.schema_payouts import Roles

    roles = workspace.program.roles
    return TermsAtHand(
        terms_hash=workspace.terms_hash,
        content=workspace.program_path.read_bytes(),
        roles={role: tuple(getattr(roles, role)) for role in Roles.model_fields},
        gates=workspace.program.payouts.gates,
    )
