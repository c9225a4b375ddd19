"""Great Expectations, held at arm's length: imported when a check runs, analytics off.

What does not belong here: which expectations there are (`check_suites`). Only pandas frames are
validated; its SQL datasource does not work with DuckDB.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas

    from orchestration.checks import Rule, Suite

KEYS_SHOWN = 20
# Read by Great Expectations when it is imported.
_ANALYTICS_VARIABLE = "GX_ANALYTICS_ENABLED"


@dataclass(frozen=True)
class Outcome:
    """What became of one rule on one frame. failing_rows: -1 when the rule is about a table."""

    is_passed: bool
    failing_rows: int
    failing_keys: tuple[str, ...]


class Validator:
    """One ephemeral context per use; nothing is written to disk."""

    def __init__(self, home: Path) -> None:
        os.environ[_ANALYTICS_VARIABLE] = "false"
        import great_expectations

        # Its log repeats what the results say; the night's own log is enough.
        logging.getLogger("great_expectations").setLevel(logging.ERROR)
        self._gx = great_expectations
        self._context = great_expectations.get_context(mode="ephemeral")
        self._context.variables.progress_bars = {"globally": False}
        self._source = self._context.data_sources.add_pandas("frames")

    def validate(
        self, suite: Suite, rules: Sequence[Rule], frame: pandas.DataFrame
    ) -> list[Outcome]:
        """One outcome per rule, in order."""
        asset = self._source.add_dataframe_asset(suite.relation)
        batch = asset.add_batch_definition_whole_dataframe("whole").get_batch(
            batch_parameters={"dataframe": frame}
        )
        expectations = self._gx.ExpectationSuite(name=suite.relation)
        for rule in rules:
            kind = getattr(self._gx.expectations, rule.expectation)
            expectations.add_expectation(kind(**rule.arguments, meta={"rule": rule.name}))
        result_format: dict[str, Any] = {"result_format": "COMPLETE"}
        if suite.key_column:
            result_format["unexpected_index_column_names"] = [suite.key_column]
        validation = batch.validate(expectations, result_format=result_format)
        by_rule = {result.expectation_config.meta["rule"]: result for result in validation.results}
        return [_outcome(by_rule[rule.name], suite.key_column) for rule in rules]


def _outcome(result: Any, key_column: str) -> Outcome:
    details = result.result or {}
    if not key_column:
        # A metric frame: the observed aggregate is the number of failing rows.
        observed = details.get("partial_unexpected_list") or details.get("unexpected_list") or []
        rows = int(observed[0]) if observed else (0 if result.success else -1)
        return Outcome(bool(result.success), rows, ())
    keys = tuple(str(entry[key_column]) for entry in (details.get("unexpected_index_list") or []))
    rows = int(details.get("unexpected_count", 0 if result.success else -1))
    return Outcome(bool(result.success), rows, keys[:KEYS_SHOWN])
