"""Golden stories: what a finance lead worked out by hand is what the nights post and publish.

Every folder beside this file is one story: `story.md` tells it and computes each cent, `given/`
holds what the sources delivered and what people decided (a folder named by a date arrives on that
day), `expected/` what must come out. All stories live in one programme and one home, apart by
their ids and domains, so that five nights serve them all. What does not belong here: expected
values, queries (`story_queries.py`), recording decisions (`story_decisions.py`).
"""

from __future__ import annotations

import csv
import re
from datetime import date
from pathlib import Path

import duckdb
import pytest

from dashboards.snapshot import open_snapshot
from orchestration.night import run_night
from tests.golden.story_decisions import record_decisions
from tests.golden.story_queries import QUERIES
from tests.workspaces import NOW, post_night, write_workspace

pytestmark = pytest.mark.sql

FOLDER = Path(__file__).parent
STORIES = sorted(path.name for path in FOLDER.iterdir() if (path / "given").is_dir())
NIGHTS = [date(2026, month, 10) for month in (2, 3, 4, 5, 6)]

TABLES = [
    (story, table)
    for story in STORIES
    for table in QUERIES
    if table == "unpaid" or (FOLDER / story / "expected" / f"{table}.csv").exists()
]


# Ids of what was entered and decided here hold a hash.
_HASHED_ID = re.compile(r"\b(reg|rul|adj)_[0-9a-f]{12}\b")


def _deliver(drop: Path, until: date) -> None:
    """Put what the sources delivered up to a day into the drop folder."""
    drop.mkdir(parents=True, exist_ok=True)
    for story in STORIES:
        for file in sorted((FOLDER / story / "given").rglob("*.csv")):
            day = "" if file.parent.name == "given" else file.parent.name
            if day <= until.isoformat():
                name = f"{file.stem}-{story}{day and '-'}{day}.csv"
                (drop / name).write_bytes(file.read_bytes())


def _decisions(after: date, until: date) -> list[Path]:
    """Files of what was decided after one night and before the next, by day."""
    files = [path for story in STORIES for path in (FOLDER / story).rglob("decisions.yml")]
    days = {path: path.parent.name for path in files}
    return sorted(
        (path for path, day in days.items() if after.isoformat() < day <= until.isoformat()),
        key=lambda path: (days[path], path),
    )


@pytest.fixture(scope="session")
def published(tmp_path_factory) -> duckdb.DuckDBPyConnection:
    """The snapshot after the last night: all stories in one home, their nights one by one."""
    root = tmp_path_factory.mktemp("golden")
    program = (FOLDER / "program.yml").read_text(encoding="utf-8")
    workspace, home = write_workspace(root / "workspace", program), root / "var"
    names: dict[str, str] = {}
    for before, night in zip([date.min, *NIGHTS], NIGHTS, strict=False):
        _deliver(workspace / "drop", night)
        for path in _decisions(before, night):
            record_decisions(path, workspace, home, names)
        if night != NIGHTS[-1]:
            post_night(workspace, home, night)
    run_night(workspace, home, NIGHTS[-1], clock=lambda: NOW)
    connection = open_snapshot(home)
    yield connection
    connection.close()


def _ids(story: str) -> str:
    """Beginning of all ids of a story, from its first partner."""
    with (FOLDER / story / "given" / "partners.csv").open(encoding="utf-8") as file:
        return next(csv.DictReader(file))["partner_id"].partition("_")[0] + "_"


def _expected(story: str, table: str, columns: list[str]) -> list[tuple[str, ...]]:
    """Expected rows as text; without a file nothing is expected."""
    path = FOLDER / story / "expected" / f"{table}.csv"
    if not path.exists():
        return []
    with path.open(encoding="utf-8") as file:
        reader = csv.DictReader(file)
        rows = [tuple(row[column] for column in columns) for row in reader]
    assert reader.fieldnames == columns, f"{path} has other columns than the query"
    return sorted(rows)


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else _HASHED_ID.sub(r"\1", str(value))


@pytest.mark.parametrize(("story", "table"), TABLES)
def test_story_after_its_nights_equals_the_hand_computation(published, story, table) -> None:
    cursor = published.execute(QUERIES[table].format(ids=_ids(story)))
    columns = [column[0] for column in cursor.description]
    found = sorted(tuple(_text(value) for value in row) for row in cursor.fetchall())
    expected = _expected(story, table, columns)
    assert {row for row in expected if row not in found} == set()
    assert {row for row in found if row not in expected} == set()
    assert len(found) == len(expected)


@pytest.mark.parametrize("story", STORIES)
def test_story_is_told_with_given_and_expected(story) -> None:
    assert (FOLDER / story / "story.md").stat().st_size > 800
    for table in ("commission_lines", "entries", "balances"):
        assert (FOLDER / story / "expected" / f"{table}.csv").exists()


def test_stories_share_no_ids() -> None:
    beginnings = [_ids(story) for story in STORIES]
    assert len(set(beginnings)) == len(STORIES) == 31
