"""A drop folder, a home and a workspace for tests of the ingest room."""

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from ingest.raw import load_raw
from ingest.report import IngestReport, StreamReport
from ingest.run import ingest
from tests.fakes.hubspot_server import FakeHubspot
from tests.fakes.stripe_server import DAY, PATHS, FakeStripe
from tests.unit.ingest.hubspot_portal import KEY, Portal, settings

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
            "changes": "full_list",
            "created_windows": False,
            "full_scan_days": 30,
            "webhooks": None,
            **changes,
        }
        return SimpleNamespace(**settings)

    return build


@dataclass
class Account:
    """A Stripe account, its server's clock, and the nights that pull it.

    Nights are numbered from 0; the clocks of the server and of the night are the same unless
    `skew` says by how much the night's is ahead.
    """

    fake: FakeStripe
    night: Night
    skew: timedelta = timedelta()

    def at(self, day: float) -> None:
        """Set the server's clock to so many days after the first night."""
        self.fake.clock = int(NOW.replace(tzinfo=UTC).timestamp() + day * DAY)

    def pull(self, day: float, **keywords: Any) -> dict[str, StreamReport]:
        """Ingest at that time; reports by stream."""
        self.at(day)
        self.fake.log.clear()
        now = NOW + timedelta(days=day) + self.skew
        return {each.stream: each for each in self.night.run(now=now, **keywords).streams}

    def asked(self, path: str) -> list[dict[str, str]]:
        """Parameters of the requests for paths that begin so, in the last pull."""
        return [params for each, params in self.fake.requests if each.startswith(path)]

    def paths(self) -> list[str]:
        """Paths that the last pull asked for, without the feed's."""
        return [path for path, _ in self.fake.requests if path != "/v1/events"]

    def settings(self, **changes: Any) -> None:
        """Change settings of the source."""
        kept = vars(self.night.sources["billing"])
        self.night.sources = {"billing": SimpleNamespace(**{**kept, **changes})}

    def small_parts(self, monkeypatch: pytest.MonkeyPatch, pages: int = 1) -> None:
        """Make every part of a landing hold so many pages."""
        import ingest.run

        original = ingest.run.PullOptions
        monkeypatch.setattr(
            ingest.run, "PullOptions", lambda *given: original(*given, part_pages=pages)
        )


@pytest.fixture
def account(
    night: Night, stripe_settings: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Account]:
    """An empty account that is followed by its events, from customers to charges."""
    monkeypatch.setenv("TEST_STRIPE_KEY", "rk_test_do_not_tell")
    paths = [*PATHS.values(), "/v1/events"]
    with FakeStripe(objects={path: [] for path in paths}) as fake:
        night.sources = {
            "billing": stripe_settings(
                fake.base_url,
                api_version="2025-11-17.clover",
                changes="events",
                created_windows=True,
                streams=("events", "customers", "invoices"),
            )
        }
        found = Account(fake, night)
        found.at(0)
        yield found


@pytest.fixture
def portal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Portal]:
    """An empty HubSpot account, its key set."""
    monkeypatch.setenv("TEST_HUBSPOT_KEY", KEY)
    with FakeHubspot() as fake:
        yield Portal(fake, tmp_path, settings(fake.base_url), [])
