"""Options that several commands of `partnerledger batches` share. Light, as all of `cli_*`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

BatchArgument = Annotated[str, typer.Argument(metavar="BATCH", help="Id of the batch.")]
ReasonOption = Annotated[str, typer.Option("--reason", help="Why; kept with the decision.")]
SignOption = Annotated[
    Path | None,
    typer.Option(
        "--sign",
        metavar="KEY",
        help="Sign with this SSH key: a private key, or the public one of a key in the agent.",
        dir_okay=False,
    ),
]
SIGNATURE_BYTES = 20_000


class Role(StrEnum):
    """As whom somebody approves."""

    PARTNERSHIPS = "partnerships"
    FINANCE = "finance"


RoleOption = Annotated[Role, typer.Option("--role", help="As whom you approve.")]
