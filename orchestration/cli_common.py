"""What all commands share: options, where programme and home are, output, one-line failures.

What does not belong here: any command. Importing it loads typer and nothing heavier, because
`partnerledger --help` must be quick.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

if TYPE_CHECKING:
    import duckdb
    from rich.console import Console

    from payouts.store import Store
    from program.load import Workspace

REPOSITORY = Path(__file__).resolve().parent.parent
HOME_VARIABLE = "PARTNERLEDGER_HOME"
PROGRAM_VARIABLE = "PARTNERLEDGER_PROGRAM"
USER_VARIABLE = "PARTNERLEDGER_USER"

HomeOption = Annotated[
    Path,
    typer.Option(
        "--home", envvar=HOME_VARIABLE, help="Folder of the programme's state.", file_okay=False
    ),
]
ProgramOption = Annotated[
    Path | None,
    typer.Option(
        "--program",
        envvar=PROGRAM_VARIABLE,
        help="Folder of program.yml, or the file; default: this folder's, else the sample's.",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print records as JSON.")]
ActorOption = Annotated[
    str,
    typer.Option(
        "--as",
        envvar=USER_VARIABLE,
        metavar="EMAIL",
        help="Who decides, as in roles of program.yml; default: the operating system's user.",
    ),
]
DEFAULT_HOME = Path("var")
# A partner acts where it has proved who it is, the product by itself; nobody types these.
_RESERVED_ACTORS = ("partner:", "system:")
# Characters: as narrow as a column of words may get, and what stands between two columns.
_NARROW_COLUMN, _COLUMN_GAP = 8, 3


class CommandError(Exception):
    """A command refuses. One line: what, where; `what_to_do` follows it."""

    def __init__(self, message: str, what_to_do: str = "") -> None:
        self.message = message
        self.what_to_do = what_to_do
        super().__init__(message)


def workspace_path(program: Path | None) -> Path:
    """The programme asked for, else the current folder when it holds one, else the sample."""
    if program is not None:
        return program
    return Path() if Path("program.yml").is_file() else REPOSITORY / "program"


def open_workspace(program: Path | None) -> Workspace:
    """The checked terms. Raises: TermsError."""
    from program.load import load_workspace

    return load_workspace(workspace_path(program))


def has_control(home: Path) -> bool:
    """Whether this home has a control database; a copied snapshot has none."""
    from payouts.store import FILE_NAME, URL_VARIABLE

    return (home / FILE_NAME).exists() or bool(os.environ.get(URL_VARIABLE))


def program_timezone(program: Path | None) -> str:
    """IANA name of the programme's time zone. Raises: TermsError."""
    return open_workspace(program).program.program.timezone


@contextmanager
def open_control(home: Path, is_new_allowed: bool = False) -> Iterator[Store]:
    """The control database of a home, closed on leaving.

    is_new_allowed: whether a home without one gets one; looking never creates anything.
    Raises: CommandError when there is none.
    """
    from payouts.store import open_store

    if not has_control(home) and not is_new_allowed:
        raise CommandError(
            f"{home} holds no programme's state",
            f"Run `partnerledger run --home {home}` first, or name another --home.",
        )
    store = open_store(home)
    try:
        yield store
    finally:
        store.close()


@contextmanager
def open_published(home: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """The published snapshot, read-only. Raises: SnapshotMissingError, SnapshotDamagedError."""
    from dashboards.snapshot import open_snapshot

    with open_snapshot(home) as connection:
        yield connection


@contextmanager
def open_both(home: Path) -> Iterator[tuple[duckdb.DuckDBPyConnection, Store]]:
    """The published snapshot, to know what exists, and the control database, to record in.

    Raises: as `open_published` and `open_control`.
    """
    with open_published(home) as published, open_control(home) as store:
        yield published, store


def actor_name(actor: str) -> str:
    """Who decides: --as, else the user of the operating system.

    The names of partners and of the product itself are nobody's who types them.
    Raises: CommandError; DecisionRefusedError for a name with characters that nobody sees.
    """
    from payouts.terms import person
    from payouts.texts import actor as checked_actor

    name = checked_actor(actor, "--as")
    if person(name).startswith(_RESERVED_ACTORS):
        raise CommandError(
            f"--as {name}: a person decides here, and no partner and no part of the product",
            "Give --as EMAIL, as in roles of program.yml.",
        )
    if name:
        return name
    import getpass

    try:
        return checked_actor(getpass.getuser(), "the user of the operating system")
    except (OSError, KeyError):
        raise CommandError(
            "it is not known who decides", f"Give --as EMAIL or set {USER_VARIABLE}."
        ) from None


def parse_date(text: str | None, option: str) -> date | None:
    """An ISO date of an option. Raises: typer.BadParameter (exit 2)."""
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(
            f"{text!r} is not a date; write it like 2026-02-28", param_hint=option
        ) from None


def parse_instant(text: str | None, option: str, timezone: str) -> datetime | None:
    """An instant of an option, naive UTC (M5).

    text: ISO 8601; without an offset it is local time of the programme, a bare date local
    midnight. timezone: IANA name. Raises: typer.BadParameter (exit 2).
    """
    from datetime import UTC
    from zoneinfo import ZoneInfo

    from program.instants import day_start_utc

    if text is None:
        return None
    try:
        return day_start_utc(date.fromisoformat(text), timezone)
    except ValueError:
        pass
    try:
        instant = datetime.fromisoformat(text)
        if instant.tzinfo is None:
            instant = instant.replace(tzinfo=ZoneInfo(timezone))
        return instant.astimezone(UTC).replace(tzinfo=None)
    except (ValueError, OverflowError):
        raise typer.BadParameter(
            f"{text!r} is no instant; write it like 2026-02-28, 2026-02-28T14:30 or "
            "2026-02-28T14:30:00Z",
            param_hint=option,
        ) from None


def minute(instant: datetime) -> str:
    """An instant as people read it, without its seconds."""
    return instant.isoformat(sep=" ", timespec="minutes")


def money(amount_minor: int | None, currency_code: str | None) -> str:
    """An amount as people read it, with its currency; empty when there is none."""
    if amount_minor is None or currency_code is None:
        return ""
    from program.currencies import format_minor

    return f"{format_minor(amount_minor, currency_code)} {currency_code}"


def counted(number: int, noun: str) -> str:
    """`1 partner`, `2 partners`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def print_json(records: Any) -> None:
    """Records as JSON on standard output; dates as ISO text, amounts stay whole minor units."""
    print(json_text(records, indent=2))


def json_text(records: Any, indent: int | None = None) -> str:
    """The same as one text."""
    return json.dumps(records, indent=indent, ensure_ascii=False, default=_plain)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds") + ("Z" if value.tzinfo is None else "")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal | Path):
        return str(value)
    if isinstance(value, Mapping):
        return dict(value)
    return vars(value)


def out() -> Console:
    """Where people read; as wide as what is printed when nobody watches."""
    from rich.console import Console

    return Console(
        highlight=False, emoji=False, markup=False, width=None if sys.stdout.isatty() else 160
    )


def print_table(
    title: str,
    columns: Sequence[str],
    rows: Iterable[Sequence[Any]],
    right: Iterable[str] = (),
    whole: Iterable[str] = (),
) -> None:
    """A plain table; nothing but a line when it is empty.

    right: columns to align to the right. whole: columns of ids, which are copied and therefore
    not broken over lines where the width allows it.
    """
    from rich.box import SIMPLE
    from rich.table import Table

    rows = [["" if cell is None else str(cell) for cell in row] for row in rows]
    if not rows:
        out().print(f"{title}: none")
        return
    console = out()
    kept = _unbroken(columns, rows, set(whole), console.width)
    table = Table(box=SIMPLE, show_edge=False, pad_edge=False)
    for column in columns:
        table.add_column(
            column,
            justify="right" if column in right else "left",
            overflow="fold",
            no_wrap=column in kept,
        )
    for row in rows:
        table.add_row(*row)
    console.print(title, style="bold")
    console.print(table)
    console.print()


def _unbroken(
    columns: Sequence[str], rows: list[list[str]], whole: set[str], width: int
) -> set[str]:
    # A column that may not wrap is cut off where it does not fit; broken over lines is better.
    needed = sum(
        max(len(row[place]) for row in rows) if column in whole else _NARROW_COLUMN
        for place, column in enumerate(columns)
    )
    return whole if needed + _COLUMN_GAP * len(columns) <= width else set()


def query(
    connection: duckdb.DuckDBPyConnection, sql: str, values: Sequence[Any] = ()
) -> list[dict]:
    """Rows of a query as dictionaries, in the order of its columns.

    values: text, whole numbers, instants or None, for `?` or `$1`, `$2`, ….
    """
    if values:
        # DuckDB's driver imports pandas to look at a bound value, which costs a third of a second;
        # a prepared statement called with literals does not.
        connection.execute(f"prepare asked as {sql}")
        sql = f"execute asked({', '.join(map(_literal, values))})"
    found = connection.execute(sql)
    names = [column[0] for column in found.description]
    rows = [dict(zip(names, row, strict=True)) for row in found.fetchall()]
    if values:
        connection.execute("deallocate asked")
    return rows


def _literal(value: Any) -> str:
    """A value as SQL. In DuckDB a quote is the only character with a meaning inside a text."""
    if value is None:
        return "null"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, datetime):
        return f"timestamp '{value.isoformat(sep=' ')}'"
    if isinstance(value, str):
        if "\0" in value:
            raise CommandError("no id holds a NUL character", "Copy it from where it is shown.")
        quoted = value.replace("'", "''")
        return f"'{quoted}'"
    raise TypeError(f"{type(value).__name__} cannot be asked for")


def require_role(program: Path | None, actor: str, what: str) -> None:
    """Raises: CommandError when the terms give this person no role.

    A name that nobody gave a role could stand for anybody, and four eyes would be two.
    """
    from payouts.terms import ROLES, approval_rules

    rules = approval_rules(open_workspace(program))
    if not any(rules.has_role(actor, role) for role in ROLES):
        raise CommandError(
            f"{actor} may not {what}: roles in program.yml name nobody of that name for "
            "partnerships or finance",
            "Name yourself with --as, or let somebody with a role do it.",
        )


def require_partner(home: Path, partner_id: str) -> None:
    """Refuse a partner that the published snapshot does not know. Raises: CommandError."""
    with open_published(home) as connection:
        if not query(
            connection, "select 1 from marts.dim_partners where partner_id = ?", [partner_id]
        ):
            raise unknown_partner(partner_id)


def unknown_partner(partner_id: str) -> CommandError:
    """The refusal of a partner that does not exist."""
    return CommandError(
        f"there is no partner {partner_id!r} in the published snapshot",
        "`partnerledger partner list` shows them; new ones come with a file and a night.",
    )


def clear_line(error: Exception) -> str | None:
    """The one line of an error that some room raised knowingly; None for an unexpected one."""
    if isinstance(error, CommandError):
        return _joined(error.message, error.what_to_do)
    room = type(error).__module__.partition(".")[0]
    if room not in {"program", "ingest", "payouts", "dashboards", "orchestration"}:
        return None
    problems = getattr(error, "problems", None)
    if problems:
        more = len(problems) - 1
        rest = f" ({more} more: run `partnerledger doctor`)" if more else ""
        return f"{problems[0]}{rest}"
    text = str(error)
    what_to_do = getattr(error, "what_to_do", "")
    return _joined(text, "" if what_to_do and what_to_do in text else what_to_do)


def _joined(message: str, what_to_do: str) -> str:
    line = " ".join(message.split())
    if what_to_do:
        line = line if line.endswith((".", "!", "?")) else f"{line}."
        line = f"{line} {' '.join(what_to_do.split())}"
    return line


def fail(line: str) -> NoReturn:
    """One line on standard error, exit 1."""
    print(f"partnerledger: {line}", file=sys.stderr)
    raise SystemExit(1)
