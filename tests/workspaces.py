"""Workspaces written from facts, and nights over them without Dagster: what the SQL tests share.

The real rooms run (files source, landing, control database, dbt); only publishing and batches are
left out, so that a test costs one dbt build. Does not belong here: expected values.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml

from ingest.entities import ENTITIES
from orchestration.night import Night
from orchestration.warehouse import open_working_file
from tests.compiled import build_facts
from tests.oracle.facts import Facts

SOURCES = "sources: {drop: {kind: files, path: drop}}\n"
# Nights are stamped with it; no amount depends on it.
NOW = datetime(2027, 1, 1, 3, 0)


class _ExactLoader(yaml.SafeLoader):
    """Decimals as written: a rate is never a float."""


_ExactLoader.add_constructor(
    "tag:yaml.org,2002:float", lambda loader, node: Decimal(loader.construct_scalar(node))
)


def read_program(text: str) -> dict[str, Any]:
    """program.yml as the oracle takes it."""
    return yaml.load(text, _ExactLoader)  # noqa: S506 a SafeLoader with exact decimals


def write_workspace(directory: Path, program: str, facts: Facts | None = None) -> Path:
    """A workspace with one `files` source named `drop`."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "program.yml").write_text(program, encoding="utf-8")
    (directory / "sources.yml").write_text(SOURCES, encoding="utf-8")
    if facts is not None:
        write_drop(directory / "drop", facts)
    return directory


def write_drop(directory: Path, facts: Mapping[str, Iterable[Mapping[str, str]]]) -> None:
    """One CSV file per entity, columns in declared order, rows in arrival order."""
    directory.mkdir(parents=True, exist_ok=True)
    for entity, rows in facts.items():
        columns = ENTITIES[entity].column_names
        with (directory / f"{entity}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, columns, restval="", lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)


class PostedNight:
    """What one night computed and posted, read back as plain rows."""

    def __init__(self, home: Path, new_entries: int) -> None:
        self.home = home
        self.new_entries = new_entries

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows of a query on the working file."""
        with open_working_file(self.home) as connection:
            return connection.execute(sql).fetchall()


def post_night(
    workspace: Path,
    home: Path,
    as_of: date,
    now: datetime = NOW,
    marts: Sequence[str] = (),
) -> PostedNight:
    """Ingest, compute and post one night; no batch, no snapshot, of the marts only those named."""
    home.mkdir(parents=True, exist_ok=True)
    night = Night.open(workspace, home, as_of, clock=lambda: now)
    try:
        night.ingest()
        night.prepare()
        build_facts(home)
        posted = night.post()
        if marts:
            night.require_built("ledger", night.build("ledger", marts))
    finally:
        night.close()
    return PostedNight(home, posted.rows)
