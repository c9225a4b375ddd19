"""The walls between the rooms, read from the import statements; and light, effect-free imports."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
ROOMS = ("program", "ingest", "payouts", "orchestration", "dashboards")
ENGINES = {"dagster", "dagster_dbt", "dbt", "great_expectations"}

# What each room may not import, directly, anywhere in its code.
WALLS = {
    "program": {"ingest", "payouts", "orchestration", "dashboards"} | ENGINES,
    "ingest": {"payouts", "orchestration", "dashboards"} | ENGINES,
    "payouts": {"ingest", "orchestration", "dashboards", "requests"} | ENGINES,
    "dashboards": {"ingest", "orchestration"} | ENGINES,
    "orchestration": set(),
}
# Outside defs/, Dagster is imported inside functions or by the modules that Dagster itself loads.
DAGSTER_MODULES = {"orchestration/definitions.py", "orchestration/run_history.py"}
# `partnerledger --help` and every pure test start without these.
HEAVY = {"dagster", "dbt", "great_expectations", "pandas", "pyarrow", "duckdb", "sqlalchemy"}


def python_files(room):
    return sorted(path for path in (REPOSITORY / room).rglob("*.py"))


def imported_names(tree):
    """Every imported module with whether the statement is at the top of its module."""
    top = set(map(id, tree.body))
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, id(node) in top
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield node.module or "", id(node) in top


def all_imports(room):
    for path in python_files(room):
        tree = ast.parse(path.read_text(encoding="utf-8"), filename=str(path))
        for name, is_top in imported_names(tree):
            yield path.relative_to(REPOSITORY).as_posix(), name, is_top


@pytest.mark.parametrize("room", ROOMS)
def test_room_imports_nothing_behind_its_walls(room):
    breaches = [
        f"{path} imports {name}"
        for path, name, _ in all_imports(room)
        if name.partition(".")[0] in WALLS[room]
    ]
    assert breaches == []


def test_great_expectations_is_imported_in_one_function_only():
    found = {
        (path, is_top)
        for room in ROOMS
        for path, name, is_top in all_imports(room)
        if name.partition(".")[0] == "great_expectations"
    }
    assert found == {("orchestration/gx.py", False)}


def test_dagster_is_imported_on_top_of_definitions_only():
    breaches = [
        f"{path} imports {name}"
        for path, name, is_top in all_imports("orchestration")
        if is_top
        and name.partition(".")[0] in {"dagster", "dagster_dbt"}
        and not path.startswith("orchestration/defs/")
        and path not in DAGSTER_MODULES
    ]
    assert breaches == []


def test_clock_is_read_at_the_edge_only():
    """M6: below the command line and orchestration/clock.py nothing knows the time."""
    calls = {("datetime", "now"), ("datetime", "utcnow"), ("date", "today"), ("time", "time")}
    edges = {"orchestration/clock.py"}
    breaches = []
    for room in ROOMS:
        for path in python_files(room):
            name = path.relative_to(REPOSITORY).as_posix()
            if name in edges or path.stem.startswith("cli") or "/cli/" in name:
                continue
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if not isinstance(node, ast.Attribute) or not isinstance(node.value, ast.Name):
                    continue
                if (node.value.id, node.attr) in calls:
                    breaches.append(f"{name}:{node.lineno} {node.value.id}.{node.attr}")
    assert breaches == []


@pytest.mark.parametrize("room", ROOMS)
def test_importing_a_room_loads_nothing_heavy(room):
    script = f"import sys, {room}; print([name for name in {sorted(HEAVY)} if name in sys.modules])"
    shown = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, cwd=REPOSITORY, check=True
    )
    assert shown.stdout.strip() == "[]"


def test_night_modules_import_without_dagster_or_dbt():
    modules = "orchestration.night, orchestration.checks, dashboards.snapshot"
    script = f"import sys, {modules}; print([n for n in {sorted(HEAVY)} if n in sys.modules])"
    shown = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, cwd=REPOSITORY, check=True
    )
    assert shown.stdout.strip() == "[]"
