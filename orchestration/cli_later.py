"""Commands of later releases: hidden from --help, and a clear refusal instead of a pretence."""

from __future__ import annotations

import typer

from orchestration.cli_common import CommandError

# Command → what stands in for it until then.
LATER = {
    "simulate": "Run a changed program.yml in a home of its own with `run --program --home`.",
    "reconcile": "Compare with marts.fct_commission_lines in the published snapshot.",
    "forecast": "marts.fct_payout_forecast and fct_commission_liability hold the figures.",
}


def add_commands(app: typer.Typer) -> None:
    """Add them all to the command line."""
    for name in LATER:
        app.command(
            name,
            hidden=True,
            context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
        )(_refusal(name))


def _refusal(name: str):
    def refuse() -> None:
        raise CommandError(f"`{name}` comes with a later release", LATER[name])

    refuse.__doc__ = "Comes with a later release."
    return refuse
