"""Statements to the published snapshot, from a command or from a person at a terminal.

The snapshot is attached read-only to a database of this process; DuckDB may then neither read nor
write any other file, and no setting can be changed. What does not belong here: options, and how
answers look (`sql_output`).
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from orchestration.cli_common import CommandError, clear_line, counted
from orchestration.sql_output import PRINTERS
from orchestration.warehouse import MEMORY_LIMIT_VARIABLE, engine_limits

if TYPE_CHECKING:
    import duckdb

    from dashboards.snapshot import SnapshotPointer

DEFAULT_MEMORY = "2GB"
_HELP = "A statement ends with ;   .tables lists tables   .describe TABLE its columns   .quit ends"
_FETCHED_ROWS = 1_000
_SHELL_COMMANDS = {
    ".tables": "select table_schema || '.' || table_name as table_name from "
    "information_schema.tables where table_catalog = current_database() order by all",
    ".describe": "describe",
}
# Of an error of DuckDB's by its class: what to do about it.
_ADVICE = {
    "PermissionException": "Only the published snapshot is in reach here; docs/analysts.md names "
    "other ways to open it.",
    "CatalogException": "`.tables` lists the tables, docs/data-dictionary.md says what they hold.",
    "BinderException": "docs/data-dictionary.md lists the columns of every table.",
    "OutOfMemoryException": f"Ask for less at once, or set {MEMORY_LIMIT_VARIABLE}.",
}


@dataclass(frozen=True)
class Output:
    """How answers are given. form: table, json or csv. limit: rows at most, 0 for all."""

    form: str
    limit: int


@contextmanager
def opened(home: Path, output: Output) -> Iterator[Shell]:
    """A shell over what is published now.

    Raises: SnapshotMissingError, SnapshotDamagedError; SettingError for a limit that is no size.
    """
    from dashboards.snapshots import Snapshots

    is_limited = bool(os.environ.get(MEMORY_LIMIT_VARIABLE))
    snapshots = Snapshots(home, engine_limits(home).memory_limit if is_limited else DEFAULT_MEMORY)
    try:
        pointer, connection = snapshots.current()
        # Marts need no prefix; exports are reached by theirs.
        connection.execute(f"use {_database(connection)}.marts")
        with connection:
            yield Shell(connection, pointer, output)
    finally:
        snapshots.close()


def _database(connection: duckdb.DuckDBPyConnection) -> str:
    (name,) = connection.execute("select current_database()").fetchone()
    return name


class Shell:
    """Answers statements, one after the other."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, pointer: SnapshotPointer, output: Output
    ) -> None:
        """connection: closed to everything but the snapshot `pointer` names."""
        self._connection = connection
        self._pointer = pointer
        self._output = output

    @property
    def greeting(self) -> str:
        """What is asked."""
        return f"Snapshot {self._pointer.run_id}, as of {self._pointer.as_of}.\n{_HELP}"

    def is_complete(self, text: str) -> bool:
        """Whether a text of a prompt can be answered: its last statement has ended."""
        import duckdb

        if text.lstrip().startswith("."):
            return True
        if not text.rstrip().endswith(";"):
            return False
        try:
            self._connection.extract_statements(text)
        except duckdb.Error as error:
            return "unterminated" not in str(error)
        return True

    def answer(self, text: str) -> None:
        """Answer every statement of a text. Raises: CommandError for the first that cannot be."""
        import duckdb

        try:
            statements = self._connection.extract_statements(_expanded(text))
            if self._output.form != "table" and len(statements) != 1:
                raise CommandError(
                    f"--{self._output.form} answers one statement, and these are {len(statements)}",
                    "Ask for them one by one.",
                )
            for statement in statements:
                is_query = any(
                    kind.name == "QUERY_RESULT" for kind in statement.expected_result_type
                )
                self._connection.execute(statement)
                if is_query:
                    self._print()
        except duckdb.Error as error:
            raise CommandError(_one_line(error), _ADVICE.get(type(error).__name__, "")) from error

    def interrupt(self) -> None:
        """Stop what runs."""
        self._connection.interrupt()

    def _print(self) -> None:
        names = [column[0] for column in self._connection.description]
        as_of = self._pointer.as_of
        if PRINTERS[self._output.form](names, self._rows(), as_of):
            print(
                f"Only the first {counted(self._output.limit, 'row')} are shown: --limit N shows "
                "more, --limit 0 all.",
                file=sys.stderr,
            )

    def _rows(self) -> Iterator[tuple | None]:
        """Rows up to the limit, then None if there are more."""
        left = self._output.limit or None
        while rows := self._connection.fetchmany(_FETCHED_ROWS):
            for row in rows:
                if left == 0:
                    yield None
                    return
                left = left and left - 1
                yield row


def converse(shell: Shell) -> None:
    """Answer a person at a terminal until `.quit` or the end of input; an error ends nothing."""
    with suppress(ImportError):
        import readline  # noqa: F401  (line editing and history of `input`)
    print(shell.greeting)
    typed = ""
    while True:
        try:
            typed += input("sql> " if not typed else "...> ") + "\n"
        except EOFError:
            print()
            return
        except KeyboardInterrupt:
            print()
            typed = ""
            continue
        if typed.strip() in (".quit", ".exit"):
            return
        if not typed.strip():
            typed = ""
        elif shell.is_complete(typed):
            _answer_person(shell, typed)
            typed = ""


def _answer_person(shell: Shell, text: str) -> None:
    try:
        shell.answer(text)
    except CommandError as error:
        print(clear_line(error), file=sys.stderr)
    except KeyboardInterrupt:
        shell.interrupt()
        print("stopped", file=sys.stderr)


def _expanded(text: str) -> str:
    """A command of the shell as SQL. Raises: CommandError for one that does not exist."""
    words = text.strip().rstrip(";").split(maxsplit=1)
    if not words or not words[0].startswith("."):
        return text
    if words[0] not in _SHELL_COMMANDS:
        raise CommandError(f"there is no {words[0]}", _HELP)
    return " ".join([_SHELL_COMMANDS[words[0]], *words[1:]])


def _one_line(error: Exception) -> str:
    """What DuckDB found, and the line it found it in; without the lines that point."""
    text, _, rest = str(error).partition("\nLINE ")
    place = rest.partition("\n")[0].strip()
    line = " ".join(text.split())
    return f"{line} (line {place})" if place else line
