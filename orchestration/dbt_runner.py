"""dbt inside this process: one import, one parse, then as many builds as the night has phases.

What does not belong here: which nodes make up a phase (`phases`), and anything about commissions.
dbt is imported inside the functions, so importing this module stays cheap.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock

from orchestration.errors import DbtError
from orchestration.result import CheckResult
from orchestration.warehouse import (
    DATABASE,
    MEMORY_LIMIT_VARIABLE,
    TEMP_SIZE_VARIABLE,
    THREADS_VARIABLE,
    WAREHOUSE_VARIABLE,
    engine_limits,
    working_file,
)

if TYPE_CHECKING:
    from dbt.contracts.graph.manifest import Manifest

PROJECT_DIR = Path(__file__).resolve().parent.parent / "dbt_project"
# Holds manifest.json for Dagster and the partial-parse cache; the same for every home.
PARSE_TARGET_DIR = PROJECT_DIR / "target"
_PROJECT_SUFFIXES = {".sql", ".yml", ".yaml", ".csv", ".md", ".py"}
_OK = {"success", "pass"}
_NODE_EVENTS = {"LogModelResult", "LogTestResult", "LogSeedResult"}
_FAILED = {"error", "fail", "runtime error"}

NodeDone = Callable[[str, int, int], None]


@dataclass(frozen=True)
class NodeResult:
    """What became of one dbt node in one build.

    status: `ok`, `warn`, `failed` or `skipped`. failing_rows: rows that a test returned, 0 for a
    model. seconds: wall time. query_file: the compiled SQL, for a test that failed.
    """

    unique_id: str
    name: str
    resource_type: str
    status: str
    failing_rows: int
    message: str
    seconds: float
    query_file: str

    def describe(self) -> str:
        """One clear line: what failed, how many rows, what to do."""
        if self.resource_type == "test" and self.failing_rows:
            return (
                f"dbt test {self.name} found {self.failing_rows} failing rows. Look at them with "
                f"the query in {self.query_file}, correct the source or the terms, then run again."
            )
        message = " ".join(self.message.split())
        return (
            f"dbt {self.resource_type} {self.name} could not be built: {message[:600]}. "
            "Correct the model or the input it names, then run again."
        )


class DbtRunner:
    """Keeps the parsed project of this process; use `shared_runner()`."""

    def __init__(self, project_dir: Path = PROJECT_DIR) -> None:
        self.project_dir = project_dir
        self._manifest: Manifest | None = None
        self._stamp: float = 0.0

    def manifest(self, refresh: bool = False) -> Manifest:
        """The parsed project. refresh: parse again if a file of it changed since.

        Without `refresh` the first parse stands, so that a night runs on one state of the project.
        Writes manifest.json. Raises: DbtError with dbt's own message.
        """
        if self._manifest is not None and not refresh:
            return self._manifest
        stamp = newest_project_change(self.project_dir)
        if self._manifest is None or stamp > self._stamp:
            target = self.project_dir / "target"
            target.mkdir(parents=True, exist_ok=True)
            # A path that is the same for every home keeps the partial-parse cache valid.
            placeholder = {WAREHOUSE_VARIABLE: f"{DATABASE}.duckdb"}
            with FileLock(str(target / "parse.lock")), _environment(placeholder):
                self._manifest = self._invoke(["parse"], target, target / "logs", None).result
            self._stamp = stamp
        return self._manifest

    def build(
        self,
        selection: Sequence[str],
        home: Path,
        on_node: NodeDone | None = None,
        exclusion: Sequence[str] = (),
    ) -> list[NodeResult]:
        """Build the selected models, seeds and data tests in the working file of `home`.

        selection: dbt selection criteria, for example `["tag:facts"]`; tests all of whose parents
        are selected come along, others only when named. Unit tests never run here.
        exclusion: criteria to leave out again.
        on_node: called with (node name, done so far, total) after each node.
        Every DuckDB handle of this process is closed on return.
        Raises: DbtError when dbt cannot start; failing nodes are returned, not raised.
        """
        manifest = self.manifest()
        limits = engine_limits(home)
        settings = {
            WAREHOUSE_VARIABLE: str(working_file(home).resolve()),
            MEMORY_LIMIT_VARIABLE: limits.memory_limit,
            THREADS_VARIABLE: str(limits.threads),
            TEMP_SIZE_VARIABLE: limits.max_temp_directory_size,
        }
        arguments = [
            # Nobody reads run_results.json here, and writing it costs as much as some models.
            *("build", "--no-write-json", "--select", *selection),
            *(("--exclude", *exclusion) if exclusion else ()),
            *("--exclude-resource-type", "unit_test"),
            *("--indirect-selection", "cautious"),
        ]
        target = home / "warehouse" / "dbt"
        with _environment(settings):
            outcome = self._invoke(
                arguments, target, home / "logs", manifest, _node_callback(on_node)
            )
        if outcome.result is None or not hasattr(outcome.result, "results"):
            raise DbtError("dbt built nothing", f"See {home / 'logs' / 'dbt.log'}.")
        return [_node_result(run, target) for run in outcome.result.results]

    def _invoke(
        self,
        arguments: list[str],
        target_dir: Path,
        log_dir: Path,
        manifest: Manifest | None,
        callback: Callable[[Any], None] | None = None,
    ) -> Any:
        # GX, Dagster and dbt each have their own switch; this one is read at dbt's import.
        os.environ["DBT_SEND_ANONYMOUS_USAGE_STATS"] = "false"
        from dbt.cli.main import dbtRunner

        log_dir.mkdir(parents=True, exist_ok=True)
        common = [
            *("--project-dir", str(self.project_dir)),
            *("--profiles-dir", str(self.project_dir)),
            *("--target-path", str(target_dir.resolve())),
        ]
        options = [
            *("--log-path", str(log_dir.resolve())),
            *("--log-level", "none", "--log-level-file", "info"),
            *("--no-print", "--no-use-colors", "--no-version-check"),
            "--no-send-anonymous-usage-stats",
        ]
        runner = dbtRunner(manifest=manifest, callbacks=[callback] if callback else [])
        try:
            outcome = runner.invoke([*options, arguments[0], *common, *arguments[1:]])
        finally:
            _close_handles()
        if outcome.exception is not None:
            raise DbtError(
                f"dbt {arguments[0]} failed: {outcome.exception}",
                f"Correct what it names; the whole log is {log_dir / 'dbt.log'}.",
            ) from outcome.exception
        return outcome


_RUNNER: DbtRunner | None = None


def shared_runner() -> DbtRunner:
    """The one runner of this process."""
    global _RUNNER
    if _RUNNER is None:
        _RUNNER = DbtRunner()
    return _RUNNER


def newest_project_change(project_dir: Path) -> float:
    """Modification time (seconds) of the newest file that dbt would parse."""
    newest = 0.0
    for folder, subfolders, files in os.walk(project_dir):
        subfolders[:] = [name for name in subfolders if name not in {"target", "logs"}]
        for name in files:
            if Path(name).suffix in _PROJECT_SUFFIXES:
                newest = max(newest, os.stat(os.path.join(folder, name)).st_mtime)
        # A removed file shows only in its folder.
        newest = max(newest, os.stat(folder).st_mtime) if folder != str(project_dir) else newest
    return newest


def failures(results: Sequence[NodeResult]) -> list[NodeResult]:
    """Models and error-severity tests that failed, in the order dbt ran them."""
    return [result for result in results if result.status == "failed"]


def raise_for_failures(results: Sequence[NodeResult], step: str) -> None:
    """Raises: DbtError naming the first failure and how many more there are."""
    failed = failures(results)
    if not failed:
        return
    more = f" ({len(failed) - 1} more failed: {_names(failed[1:])})" if len(failed) > 1 else ""
    raise DbtError(f"{failed[0].describe()}{more}", step=step)


def warnings_of(results: Sequence[NodeResult]) -> list[CheckResult]:
    """Tests of severity warn that found rows, as checks that do not block."""
    return [
        CheckResult(
            name=result.name,
            relation="dbt test",
            is_passed=False,
            is_blocking=False,
            failing_rows=result.failing_rows,
            failing_keys=(),
            description="dbt test of severity warn",
            what_to_do=f"Look at the rows with the query in {result.query_file}.",
            query=result.query_file,
        )
        for result in results
        if result.status == "warn"
    ]


def _names(results: Sequence[NodeResult]) -> str:
    shown = ", ".join(result.name for result in results[:5])
    return shown if len(results) <= 5 else f"{shown}, …"


def _node_result(run: Any, target: Path) -> NodeResult:
    status = str(run.status)
    simple = "ok" if status in _OK else "failed" if status in _FAILED else status
    if status == "partial success":
        simple = "failed"
    node = run.node
    compiled = getattr(node, "compiled_path", None) or ""
    return NodeResult(
        unique_id=node.unique_id,
        name=node.name,
        resource_type=str(node.resource_type),
        status=simple,
        failing_rows=int(run.failures or 0),
        message=run.message or "",
        seconds=float(run.execution_time or 0.0),
        query_file=compiled or str(target / "compiled"),
    )


def _node_callback(on_node: NodeDone | None) -> Callable[[Any], None] | None:
    if on_node is None:
        return None

    done = 0

    def callback(event: Any) -> None:
        nonlocal done
        if event.info.name in _NODE_EVENTS:
            done += 1
            # Models and seeds call it total, tests num_models.
            total = getattr(event.data, "total", 0) or getattr(event.data, "num_models", 0)
            on_node(event.data.node_info.node_name, done, total)

    return callback


def _close_handles() -> None:
    """Close what dbt-duckdb left open: DuckDB caches one instance per path in a process."""
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager

    environment = DuckDBConnectionManager._ENV
    if environment is not None:
        environment.close()
        DuckDBConnectionManager._ENV = None


@contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
