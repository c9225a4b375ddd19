"""The facts phase without dbt's own work: dbt compiles the project once in a process, then DuckDB
runs the same statements in every test night.

Most of what a build by dbt costs is not the queries but dbt around them, and tests run many nights.
`tests/sql/test_compiled_facts.py` shows that both ways give the same relations; the first nights of
the end-to-end tests and the last of the golden stories are built by dbt itself. What does not
belong here: SQL of our own.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import duckdb
import pytest

from orchestration import phases
from orchestration.dbt_runner import PROJECT_DIR, DbtRunner, NodeResult, shared_runner
from orchestration.night import run_night
from orchestration.result import NightResult
from orchestration.warehouse import DATABASE, WAREHOUSE_VARIABLE, open_working_file


@dataclass(frozen=True)
class CompiledNode:
    """A model or data test as dbt compiled it.

    kind: `table`, `view` or `test`. relation: quoted name, empty for a test. code: a query, or a
    module when `is_python`.
    """

    unique_id: str
    name: str
    kind: str
    relation: str
    schema: str
    code: str
    is_python: bool

    @property
    def resource_type(self) -> str:
        """`model` or `test`."""
        return "test" if self.kind == "test" else "model"

    def run(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Create the relation anew, or require that the test finds no row."""
        if self.resource_type == "test":
            found = connection.execute(f"SELECT count(*) FROM ({self.code})").fetchone()
            assert found == (0,), f"dbt test {self.name} found {found} failing rows"
        elif self.is_python:
            self._run_python(connection)
        else:
            connection.execute(f"CREATE {self.kind} {self.relation} AS ({self.code}\n)")

    def _run_python(self, connection: duckdb.DuckDBPyConnection) -> None:
        module: dict[str, Any] = {}
        exec(compile(self.code, self.name, "exec"), module)  # noqa: S102 our own model
        dbt = module["dbtObj"](lambda name: connection.query(f"SELECT * FROM {name}"))
        frame = module["model"](dbt, connection)
        connection.register("frame_of_model", frame)
        connection.execute(f"CREATE TABLE {self.relation} AS SELECT * FROM frame_of_model")
        connection.unregister("frame_of_model")


def build_facts(home: Path) -> None:
    """Build the facts phase in the prepared working file of a home, data tests included.

    Raises: what DuckDB says of a model, AssertionError for a data test that finds rows.
    """
    build_phase(home, phases.FACTS)


def build_phase(home: Path, phase: str) -> None:
    """The same for any phase; those before it are built. Raises: as `build_facts`."""
    nodes = compiled_nodes(phase)
    with open_working_file(home) as connection:
        connection.execute("SET preserve_insertion_order = false")  # as in profiles.yml
        for schema in sorted({node.schema for node in nodes if node.kind != "test"}):
            connection.execute(f'CREATE SCHEMA IF NOT EXISTS "{schema}"')
        for node in nodes:
            node.run(connection)


def run_compiled_night(
    workspace: Path,
    home: Path,
    as_of: date,
    clock: Callable[[], datetime] | None = None,
    compiled: Sequence[str] = (phases.FACTS,),
) -> NightResult:
    """`run_night` with these phases built as above; Dagster and all other steps are as ever."""
    by_dbt = DbtRunner.build

    def build(
        runner: DbtRunner, selection: Sequence[str], home: Path, *rest: Any, **options: Any
    ) -> list[NodeResult]:
        for phase in compiled:
            if list(selection) == _selection(phase):
                build_phase(home, phase)
                return [
                    NodeResult(node.unique_id, node.name, node.resource_type, "ok", 0, "", 0.0, "")
                    for node in compiled_nodes(phase)
                ]
        return by_dbt(runner, selection, home, *rest, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DbtRunner, "build", build)
        return run_night(workspace, home, as_of, clock=clock)


@cache
def compiled_nodes(phase: str) -> tuple[CompiledNode, ...]:
    """All nodes of a phase, each after those that it reads."""
    results = _compile(_selection(phase), phases.exclusion_of(phase))
    nodes = [result.node for result in results if result.node.resource_type in ("model", "test")]
    by_id = {node.unique_id: node for node in nodes}
    order = TopologicalSorter(
        {
            unique_id: [each for each in node.depends_on.nodes if each in by_id]
            for unique_id, node in sorted(by_id.items())
        }
    )
    return tuple(_compiled(by_id[unique_id]) for unique_id in order.static_order())


@cache
def _selection(phase: str) -> list[str]:
    manifest = shared_runner().manifest().writable_manifest().to_dict(omit_none=False)
    return phases.selection_of(manifest, phase)


def _compile(selection: list[str], exclusion: list[str]) -> list[Any]:
    """Results of `dbt compile`; no relation is looked at, so the warehouse stays empty."""
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager
    from dbt.cli.main import dbtRunner

    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setenv(WAREHOUSE_VARIABLE, str(Path(folder, f"{DATABASE}.duckdb")))
        options = ("--no-print", "--log-level", "none", "--log-path", folder)
        try:
            outcome = dbtRunner(manifest=shared_runner().manifest()).invoke(
                [
                    *options,
                    "compile",
                    *("--project-dir", str(PROJECT_DIR), "--profiles-dir", str(PROJECT_DIR)),
                    *("--target-path", folder, "--no-write-json", "--no-populate-cache"),
                    *("--select", *selection),
                    *(("--exclude", *exclusion) if exclusion else ()),
                    *("--indirect-selection", "cautious"),
                ]
            )
        finally:
            DuckDBConnectionManager.close_all_connections()
    assert outcome.exception is None, outcome.exception
    return list(outcome.result.results)


def _compiled(node: Any) -> CompiledNode:
    kind = str(node.config.materialized)
    assert kind in ("table", "view", "test"), f"{node.name} is a {kind}"
    hooks = [getattr(node.config, name, []) for name in ("pre_hook", "post_hook")]
    assert hooks == [[], []], f"{node.name} has hooks"
    return CompiledNode(
        node.unique_id,
        node.name,
        kind,
        node.relation_name or "",
        node.schema,
        node.compiled_code,
        str(node.language) == "python",
    )
