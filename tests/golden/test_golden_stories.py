"""Golden stories: what a finance lead worked out by hand is what the nights post and publish.

Every folder beside this file is one story: `story.md` tells it and computes each cent, `given/`
holds what the sources delivered (a folder named by a date arrives on that day), `expected/` what
must come out. All stories live in one programme and one home, apart by their ids and domains, so
that five nights serve them all. What does not belong here: expected values.
"""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path

import duckdb
import pytest

from dashboards.snapshot import open_snapshot
from orchestration.night import run_night
from tests.workspaces import NOW, post_night, write_workspace

pytestmark = pytest.mark.sql

FOLDER = Path(__file__).parent
STORIES = sorted(path.name for path in FOLDER.iterdir() if (path / "given").is_dir())
NIGHTS = [date(2026, month, 10) for month in (2, 3, 4, 5, 6)]

# What each expected table is compared with: the published snapshot, as a finance lead reads it.
# `{ids}` is what the rows of one story have in common: the beginning of all its ids.
QUERIES = {
    "commission_lines": """
        select
            kind, partner_id, plan_id, component_id, source_type, source_id, cause_type, cause_id,
            case when kind = 'earning' then base_amount_minor end as base_amount_minor,
            case when kind = 'earning' then rate end as rate,
            amount_minor, currency_code, payout_amount_minor, payout_currency_code,
            case when currency_code <> payout_currency_code then fx_rate end as fx_rate,
            fx_rate_date,
            case when kind = 'earning' then strftime(earned_at, '%Y-%m-%dT%H:%M:%SZ') end
                as earned_at,
            available_date, expected_pay_date
        from marts.fct_commission_lines
        where partner_id like '{ids}%'
    """,
    "entries": """
        select
            cast(entries.recorded_at - interval 1 day as date) as night,
            entries.entry_kind, entries.partner_id, entries.component_id, entries.source_id,
            entries.cause_type, entries.cause_id, entries.amount_minor, entries.currency_code,
            entries.payout_amount_minor, entries.payout_currency_code, entries.effective_date,
            entries.available_date,
            reversed.entry_kind || ' ' || cast(reversed.effective_date as varchar) || ' '
                || cast(reversed.amount_minor as varchar) as reverses
        from marts.fct_commission_entries as entries
        left join marts.fct_commission_entries as reversed
            on entries.reverses_entry_id = reversed.entry_id
        where entries.partner_id like '{ids}%'
    """,
    "balances": """
        select
            partner_id, payout_currency_code, earned_amount_minor, reversed_amount_minor,
            on_hold_amount_minor, available_amount_minor, in_batch_amount_minor,
            paid_amount_minor, balance_amount_minor
        from marts.fct_partner_balances
        where partner_id like '{ids}%'
    """,
    "submissions": """
        select submission_key, partner_id, verdict, rival_key
        from marts.fct_lead_submissions
        where partner_id like '{ids}%'
    """,
    "candidates": """
        select touchpoint_id, partner_id, is_winner, lost_to
        from marts.fct_attribution_candidates
        where partner_id like '{ids}%'
    """,
    "unpaid": """
        select invoice_line_id, reason
        from marts.fct_unpaid_lines
        where invoice_line_id like '{ids}%'
    """,
}
TABLES = [
    (story, table)
    for story in STORIES
    for table in QUERIES
    if table == "unpaid" or (FOLDER / story / "expected" / f"{table}.csv").exists()
]


def _deliver(drop: Path, until: date) -> None:
    """Put what the sources delivered up to a day into the drop folder."""
    drop.mkdir(parents=True, exist_ok=True)
    for story in STORIES:
        for file in sorted((FOLDER / story / "given").rglob("*.csv")):
            day = "" if file.parent.name == "given" else file.parent.name
            if day <= until.isoformat():
                name = f"{file.stem}-{story}{day and '-'}{day}.csv"
                (drop / name).write_bytes(file.read_bytes())


@pytest.fixture(scope="session")
def published(tmp_path_factory) -> duckdb.DuckDBPyConnection:
    """The snapshot after the last night: all stories in one home, their nights one by one."""
    root = tmp_path_factory.mktemp("golden")
    program = (FOLDER / "program.yml").read_text(encoding="utf-8")
    workspace, home = write_workspace(root / "workspace", program), root / "var"
    for night in NIGHTS[:-1]:
        _deliver(workspace / "drop", night)
        post_night(workspace, home, night)
    _deliver(workspace / "drop", NIGHTS[-1])
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
    return "" if value is None else str(value)


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
    assert len(set(beginnings)) == len(STORIES) == 10
