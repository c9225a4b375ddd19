"""A drop folder, a home and a workspace for tests of the ingest room."""

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from ingest.raw import load_raw
from ingest.report import IngestReport, StreamReport
from ingest.run import ingest

NOW = datetime(2026, 3, 1, 2, 0)


@dataclass
class Night:
    """One home with its sources. `run` ingests, `rows` reads a raw relation."""

    root: Path
    sources: dict[str, Any] = field(default_factory=dict)
    pauses: list[float] = field(default_factory=list)

    @property
    def home(self) -> Path:
        return self.root / "home"

    @property
    def drop(self) -> Path:
        return self.root / "drop"

    @property
    def workspace(self) -> Any:
        return SimpleNamespace(root=self.root, sources=self.sources)

    def write(self, name: str, content: str | bytes) -> Path:
        path = self.drop / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def run(self, now: datetime = NOW, **keywords: Any) -> IngestReport:
        return ingest(self.workspace, self.home, now=now, pause=self.pauses.append, **keywords)

    def stream(self, name: str, **keywords: Any) -> StreamReport:
        found = [each for each in self.run(**keywords).streams if each.stream == name]
        assert len(found) == 1, found
        return found[0]

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        connection = duckdb.connect()
        connection.execute("set TimeZone = 'UTC'")
        load_raw(connection, self.workspace, self.home)
        return connection.execute(query).fetchall()

    def manifests(self) -> list[Path]:
        return sorted(self.home.glob("landing/*/*/*/manifest.jsonl"))


@pytest.fixture
def night(tmp_path: Path) -> Night:
    """A night with one files source named `drop`."""
    (tmp_path / "drop").mkdir()
    return Night(tmp_path, {"drop": SimpleNamespace(kind="files", path="drop")})


@pytest.fixture
def stripe_settings() -> Callable[..., Any]:
    """Builds settings of a stripe source like those of `sources.yml`."""

    def build(base_url: str, **changes: Any) -> Any:
        settings = {
            "kind": "stripe",
            "base_url": base_url,
            "api_key_env": "TEST_STRIPE_KEY",
            "api_version": "2025-02-24.acacia",
            "streams": ("customers",),
            "timeout_seconds": 5,
            "overlap_hours": 1,
            **changes,
        }
        return SimpleNamespace(**settings)

    return build
