"""`partnerledger period …`: which months are closed; finance closes and reopens them.

What does not belong here: the rules of closing (`payouts.closing`), and where a later difference is
posted (`payouts.periods` and the models).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

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

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from payouts.closing import PeriodState

app = typer.Typer(
    help="Periods: close a month, so that it stays as it was reported; reopen it.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
PeriodArgument = Annotated[
    str, typer.Argument(metavar="PERIOD", help="A month of the programme, as in 2026-01.")
]


@app.command("close")
def close(
    period: PeriodArgument,
    reason: Annotated[str, typer.Option("--reason", help="A note kept with the closing.")] = "",
    despite_open: Annotated[
        bool,
        typer.Option(
            "--despite-open", help="Close although payouts are not explained; needs a reason."
        ),
    ] = False,
    home: HomeOption = DEFAULT_HOME,
    program: ProgramOption = None,
    actor: ActorOption = "",
    as_json: JsonOption = False,
) -> None:
    """Close a month. It receives no entries any more; later differences go into the next one."""
    month = _parse_period(period)
    from orchestration.clock import utc_now
    from payouts.closing import close_period
    from payouts.periods import next_period
    from payouts.terms import approval_rules

    rules = approval_rules(open_workspace(program))
    with open_control(home) as store:
        closed = close_period(
            store,
            home,
            period=month,
            reason=reason,
            is_despite_open=despite_open,
            actor=actor_name(actor),
            rules=rules,
            recorded_at=utc_now(),
        )
        with store.read() as connection:
            state = _state_of(connection, home, closed.period)
            waiting = _waiting_adjustments(connection, closed.period)
    if as_json:
        print_json(state)
        return
    following = next_period(closed.period)
    entries = "1 entry" if state.entries == 1 else f"{state.entries} entries"
    out().print(
        f"Period {closed.period} is closed with {entries}, after segment "
        f"{closed.closed_after_segment}. What differs later is posted in {following}."
    )
    if waiting:
        out().print(
            f"Not posted yet: {counted(waiting, 'approved adjustment')} of {closed.period} or "
            f"before; the next night posts them in {following}."
        )


@app.command("reopen")
def reopen(
    period: PeriodArgument,
    reason: Annotated[str, typer.Option("--reason", help="Why; kept with the decision.")],
    home: HomeOption = DEFAULT_HOME,
    program: ProgramOption = None,
    actor: ActorOption = "",
    as_json: JsonOption = False,
) -> None:
    """Reopen the last closed month. Its entries are posted in it again, from the next run on."""
    month = _parse_period(period)
    from orchestration.clock import utc_now
    from payouts.closing import reopen_period
    from payouts.terms import approval_rules

    rules = approval_rules(open_workspace(program))
    with open_control(home) as store:
        reopened = reopen_period(
            store,
            period=month,
            reason=reason,
            actor=actor_name(actor),
            rules=rules,
            recorded_at=utc_now(),
        )
        with store.read() as connection:
            state = _state_of(connection, home, reopened)
    if as_json:
        print_json(state)
        return
    out().print(
        f"Period {reopened} is open again. What was posted in later months stays there; close it "
        f"again with `partnerledger period close {reopened}`."
    )


@app.command("list")
def list_periods(home: HomeOption = DEFAULT_HOME, as_json: JsonOption = False) -> None:
    """List all months from the first with entries to the last night, and which are closed."""
    from payouts.closing import load_periods

    with open_control(home) as store, store.read() as connection:
        periods = load_periods(connection, home)
    if as_json:
        print_json(periods)
        return
    print_table(
        "Periods",
        ("period", "state", "entries", "closed or reopened at (UTC)", "by", "after segment", "why"),
        [
            (each.period, each.state, each.entries, each.decided_at, each.decided_by,
             each.after_segment, each.reason)
            for each in periods
        ],
        right=("entries", "after segment"),
    )  # fmt: skip


def _parse_period(text: str) -> str:
    """A month of the command line. Raises: BadParameter (exit 2)."""
    from payouts.errors import DecisionRefusedError
    from payouts.periods import parse_period

    try:
        return parse_period(text)
    except DecisionRefusedError:
        raise typer.BadParameter(
            f"{text!r} is no month; write it like 2026-01", param_hint="PERIOD"
        ) from None


def _state_of(connection: Connection, home: Path, period: str) -> PeriodState:
    from payouts.closing import load_periods

    return next(each for each in load_periods(connection, home) if each.period == period)


def _waiting_adjustments(connection: Connection, period: str) -> int:
    """How many approved adjustments of this period or an earlier one no night has posted."""
    from payouts.adjustments import APPROVED, load_adjustments

    return sum(
        each.state == APPROVED and (each.effective_date or "")[:7] <= period
        for each in load_adjustments(connection)
    )
