"""`partnerledger batches purge`: payout files whose time is over.

What does not belong here: which files go (`payouts.purging`).
"""

from __future__ import annotations

from typing import Annotated

import typer

from orchestration.cli_common import (
    DEFAULT_HOME,
    ActorOption,
    HomeOption,
    JsonOption,
    ProgramOption,
    actor_name,
    counted,
    open_control,
    open_workspace,
    out,
    print_json,
    print_table,
)
from orchestration.cli_decision_options import ReasonOption


def add_purge(app: typer.Typer) -> None:
    """Add the command of this module to `partnerledger batches`."""
    app.command("purge")(purge)


def purge(
    older_than_days: Annotated[
        int,
        typer.Option(
            "--older-than-days", min=1, max=36_500, metavar="N", help="Days since the export."
        ),
    ],
    reason: ReasonOption,
    home: HomeOption = DEFAULT_HOME,
    program: ProgramOption = None,
    actor: ActorOption = "",
    as_json: JsonOption = False,
) -> None:
    """Remove old payout files, which name accounts; hashes and manifests stay.

    Needs finance or admin. Batches that nobody confirmed as sent keep their files.
    """
    from orchestration.clock import utc_now
    from payouts.purging import purge_payout_files
    from payouts.terms import approval_rules

    rules = approval_rules(open_workspace(program))
    with open_control(home) as store:
        gone = purge_payout_files(
            store, home, older_than_days=older_than_days, reason=reason, actor=actor_name(actor),
            rules=rules, recorded_at=utc_now(),
        )  # fmt: skip
    if as_json:
        print_json(gone)
        return
    print_table(
        "Removed", ("batch", "file", "sha256"),
        [(each.batch_id, each.name, each.sha256) for each in gone], whole=("batch",),
    )  # fmt: skip
    out().print(f"Removed {counted(len(gone), 'payout file')}; backups may still hold them.")
