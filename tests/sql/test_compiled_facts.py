"""Test nights run what dbt compiled without dbt: both ways give the same relations and rows."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import pytest

from orchestration.night import Night
from orchestration.phases import FACTS
from orchestration.warehouse import open_working_file, working_file
from tests.compiled import build_facts
from tests.properties import histories
from tests.workspaces import NOW, write_workspace

pytestmark = pytest.mark.sql

PROGRAM = Path(__file__).parents[1] / "properties" / "programmes" / "mixed.yml"
AS_OF = date(2026, 3, 31)


def _digests(home: Path) -> dict[tuple[str, str, str], tuple]:
    """Number and digest of the rows and the columns of each relation, by schema, name and type."""
    with open_working_file(home) as connection:
        relations = connection.execute(
            "SELECT table_schema, table_name, table_type FROM information_schema.tables "
            "WHERE table_schema IN ('staging', 'intermediate')"
        ).fetchall()
        return {
            (schema, name, kind): (
                *connection.execute(
                    f'SELECT count(*), sum(hash(each::varchar)) FROM {schema}."{name}" AS each'
                ).fetchone(),
                connection.execute(f'DESCRIBE {schema}."{name}"').fetchall(),
            )
            for schema, name, kind in relations
        }


def test_compiled_facts_equal_those_that_dbt_builds(tmp_path) -> None:
    program = PROGRAM.read_text(encoding="utf-8")
    workspace = write_workspace(tmp_path / "workspace", program, histories.build(11, 150))
    home = tmp_path / "var"
    night = Night.open(workspace, home, AS_OF, clock=lambda: NOW)
    try:
        night.ingest()
        night.prepare()
        prepared = shutil.copy(working_file(home), tmp_path / "prepared")
        night.require_built(FACTS, night.build(FACTS))
        by_dbt = _digests(home)
        shutil.copy(prepared, working_file(home))
        build_facts(home)
    finally:
        night.close()
    compiled = _digests(home)
    assert {name for name in by_dbt if compiled.get(name) != by_dbt[name]} == set()
    assert compiled.keys() == by_dbt.keys()
    assert len(by_dbt) > 250
    assert by_dbt["intermediate", "int_journal__desired", "BASE TABLE"][0] > 300
