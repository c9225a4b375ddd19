"""The night's checks: which suites run, and turning their outcome into `CheckResult`s.

Two moments: `boundary_results` on what came in, before anything is computed; `mart_results` on
what is about to be published. What does not belong here: uniqueness and foreign keys (dbt tests)
and stopping (`Night.require_checks`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestration.result import CheckResult

if TYPE_CHECKING:
    import duckdb

KEYS_SHOWN = 20


@dataclass(frozen=True)
class Rule:
    """One expectation.

    expectation: a Great Expectations type. arguments: its arguments; a value that is a string
    starting with `select ` is replaced by the list that this query returns.
    violations: for metric frames, a query that returns the failing keys in one text column.
    """

    name: str
    expectation: str
    arguments: dict[str, Any]
    description: str
    what_to_do: str
    is_blocking: bool = True
    violations: str = ""


@dataclass(frozen=True)
class Suite:
    """Rules about one relation, validated on one pandas frame.

    frame_query: the frame. Boundary suites select the whole table without personal columns;
    metric suites select one row of aggregates, in one scan. key_column: names failing rows of
    boundary frames; empty for metric frames. is_moot_when_empty: nothing can be wrong with a
    relation without rows, so it is not validated (most programmes use few of the vendors).
    """

    relation: str
    frame_query: str
    key_column: str
    rules: tuple[Rule, ...] = field(default_factory=tuple)
    is_moot_when_empty: bool = False

    def check_name(self, rule: Rule) -> str:
        """Name of the asset check, unique over all suites."""
        return f"gx_{self.relation.partition('.')[2]}__{rule.name}"


def boundary_results(connection: duckdb.DuckDBPyConnection, home: Path) -> list[CheckResult]:
    """Run the suites on boundary tables. home: where the log goes."""
    from orchestration.check_suites import BOUNDARY_SUITES

    return _run(connection, home, BOUNDARY_SUITES)


def mart_results(connection: duckdb.DuckDBPyConnection, home: Path) -> list[CheckResult]:
    """Run the suites on metric frames, then the reconciliations."""
    from orchestration.check_suites import METRIC_SUITES
    from orchestration.reconciliation import reconcile

    return [*_run(connection, home, METRIC_SUITES), *reconcile(connection)]


def _run(
    connection: duckdb.DuckDBPyConnection, home: Path, suites: Sequence[Suite]
) -> list[CheckResult]:
    from orchestration.gx import Outcome, Validator

    validator = Validator(home)
    results: list[CheckResult] = []
    for suite in suites:
        rules = [_resolved(connection, rule) for rule in suite.rules]
        if suite.is_moot_when_empty and _is_empty(connection, suite.relation):
            outcomes = [Outcome(True, 0, ())] * len(rules)
        else:
            frame = connection.execute(suite.frame_query).df()
            outcomes = validator.validate(suite, rules, frame)
        for rule, outcome in zip(rules, outcomes, strict=True):
            keys = outcome.failing_keys
            rows = outcome.failing_rows
            if not outcome.is_passed and rule.violations:
                keys = _failing_keys(connection, rule.violations)
            results.append(
                CheckResult(
                    name=suite.check_name(rule),
                    relation=suite.relation,
                    is_passed=outcome.is_passed,
                    is_blocking=rule.is_blocking,
                    failing_rows=rows,
                    failing_keys=keys,
                    description=rule.description,
                    what_to_do=rule.what_to_do,
                    query=rule.violations or suite.frame_query,
                )
            )
    return results


def _is_empty(connection: duckdb.DuckDBPyConnection, relation: str) -> bool:
    return not connection.execute(f"select 1 from {relation} limit 1").fetchall()


def _resolved(connection: duckdb.DuckDBPyConnection, rule: Rule) -> Rule:
    arguments = {
        name: [row[0] for row in connection.execute(value).fetchall()]
        if isinstance(value, str) and value.startswith("select ")
        else value
        for name, value in rule.arguments.items()
    }
    return Rule(**{**rule.__dict__, "arguments": arguments})


def _failing_keys(connection: duckdb.DuckDBPyConnection, query: str) -> tuple[str, ...]:
    rows = connection.execute(f"select * from ({query}) limit {KEYS_SHOWN}").fetchall()
    return tuple(str(row[0]) for row in rows)
