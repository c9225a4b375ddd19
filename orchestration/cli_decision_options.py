"""Options that several commands of `partnerledger batches` share. Light, as all of `cli_*`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from orchestration.cli_common import CommandError

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
SignatureOption = Annotated[
    Path | None,
    typer.Option(
        "--signature",
        metavar="FILE",
        help="Signature of the printed message: `ssh-keygen -Y sign -n partnerledger -f KEY`.",
        dir_okay=False,
        exists=True,
    ),
]
PrintMessageOption = Annotated[
    bool,
    typer.Option("--print-message", help="Print the text that is signed, and record nothing."),
]
_SIGNATURE_BYTES = 20_000


@dataclass(frozen=True)
class Signing:
    """How a decision is signed, if it is: with a key on the spot, or elsewhere.

    Raises: typer.BadParameter (exit 2) when more than one of the three is given.
    """

    key: Path | None = None
    file: Path | None = None
    is_print: bool = False

    def __post_init__(self) -> None:
        if (self.key is not None) + (self.file is not None) + self.is_print > 1:
            raise typer.BadParameter(
                "give one of --sign, --signature and --print-message", param_hint="--sign"
            )

    def signed(self, message: Callable[[], str]) -> tuple[bool, str | None]:
        """Whether the text was printed, so that nothing is recorded, and else the signature.

        message: makes the text, and is asked only where there is anything to sign or print.
        Raises: CommandError, DecisionRefusedError.
        """
        if not self.is_asked:
            return False, None
        text = message()
        return (True, None) if self.is_printed(text) else (False, self.of(text))

    @property
    def is_asked(self) -> bool:
        """Whether there is anything to sign or print."""
        return self.key is not None or self.file is not None or self.is_print

    def is_printed(self, message: str) -> bool:
        """Print the text that is signed, when that was asked for; nothing is recorded then."""
        if self.is_print:
            print(message, end="")
        return self.is_print

    def of(self, message: str) -> str | None:
        """The signature to record. Raises: CommandError, DecisionRefusedError."""
        if self.key is not None:
            from payouts.signatures import sign

            return sign(message, self.key)
        return None if self.file is None else _signature_text(self.file)


def _signature_text(path: Path) -> str:
    try:
        if path.stat().st_size <= _SIGNATURE_BYTES:
            return path.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError):
        pass
    raise CommandError(
        f"{path} is not a signature; nothing was recorded",
        "Name the .sig file that ssh-keygen wrote.",
    )


class Role(StrEnum):
    """As whom somebody approves."""

    PARTNERSHIPS = "partnerships"
    FINANCE = "finance"


RoleOption = Annotated[Role, typer.Option("--role", help="As whom you approve.")]
