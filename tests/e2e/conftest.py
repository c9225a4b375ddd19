"""Nights shared by the end-to-end tests: Dagster, dbt and Great Expectations start once."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest
from tiny import write_tiny_workspace

from orchestration.night import run_night
from orchestration.result import NightProgress, NightResult

FIRST_DATE = date(2026, 2, 10)


@dataclass(frozen=True)
class TinyProgramme:
    """A workspace and a home in which one night has been run."""

    workspace: Path
    home: Path
    first: NightResult
    progress: list[NightProgress]


@pytest.fixture(scope="session")
def tiny(tmp_path_factory) -> TinyProgramme:
    """The tiny programme after its first night; tests must leave its journal as it is."""
    root = tmp_path_factory.mktemp("tiny")
    workspace, home = write_tiny_workspace(root / "workspace"), root / "var"
    progress: list[NightProgress] = []
    first = run_night(workspace, home, FIRST_DATE, progress.append)
    return TinyProgramme(workspace, home, first, progress)
