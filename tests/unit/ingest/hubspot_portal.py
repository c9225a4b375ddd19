"""A HubSpot account on a loopback server, and the nights that pull it, for test_hubspot_*.py."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb

from ingest.raw import load_raw
from ingest.report import IngestReport, StreamReport
from ingest.run import ingest
from tests.fakes.hubspot_server import FakeHubspot

FIRST_NIGHT = datetime(2026, 3, 1, 2, 0)
KEY = "pat-do-not-tell"
ALL_STREAMS = (
    "pipelines",
    "owners",
    "contacts",
    "companies",
    "deals",
    "meetings",
    "associations",
    "form_submissions",
)


def at(day: float = -1, minutes: float = 0) -> datetime:
    """An instant so many days after the first night."""
    return FIRST_NIGHT + timedelta(days=day, minutes=minutes)


def settings(base_url: str, **changes: Any) -> SimpleNamespace:
    """Settings of a HubSpot source like those of `sources.yml`."""
    known = {
        "kind": "hubspot",
        "base_url": base_url,
        "token_env": "TEST_HUBSPOT_KEY",
        "api_version": "2026-09",
        "streams": ALL_STREAMS,
        "forms": (),
        "properties": {},
        "sweep_days": 7,
        "overlap_hours": 1,
        "timeout_seconds": 5,
        "fields": SimpleNamespace(
            contact_code=("properties.partner_code",),
            deal_code=("properties.deal_partner", "url:ref"),
        ),
    }
    return SimpleNamespace(**{**known, **changes})


@dataclass
class Portal:
    """One account, its home and its nights, numbered from 0."""

    fake: FakeHubspot
    root: Path
    source: SimpleNamespace
    pauses: list[float]

    @property
    def home(self) -> Path:
        return self.root / "home"

    @property
    def workspace(self) -> Any:
        return SimpleNamespace(root=self.root, sources={"crm": self.source})

    def choose(self, *streams: str, **changes: Any) -> None:
        """Change the settings; streams: only these, all of them if none is named."""
        chosen = {"streams": streams} if streams else {}
        self.source = SimpleNamespace(**{**vars(self.source), **chosen, **changes})

    def run(self, day: float, **keywords: Any) -> IngestReport:
        """Ingest that many days after the first night."""
        self.fake.log.clear()
        return ingest(self.workspace, self.home, now=at(day), pause=self.pauses.append, **keywords)

    def pull(self, day: float = 0, **keywords: Any) -> dict[str, StreamReport]:
        """Ingest; the reports by stream."""
        return {each.stream: each for each in self.run(day, **keywords).streams}

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Rows of a query over the raw relations."""
        connection = duckdb.connect()
        connection.execute("set TimeZone = 'UTC'")
        load_raw(connection, self.workspace, self.home)
        return connection.execute(query).fetchall()

    def newest(self, kind: str) -> dict[str, tuple[bool, bool]]:
        """Of each landed record its newest version: whether it is archived, and a tombstone."""
        rows = self.rows(
            "select object_id, payload ->> '$.archived' = 'true', is_tombstone "
            f"from raw.hubspot__{kind} "
            "qualify row_number() over (partition by object_id order by _arrival desc, _row desc)"
            " = 1"
        )
        return {object_id: (archived, gone) for object_id, archived, gone in rows}

    def sets(self, relation: str) -> dict[str, list[str]]:
        """Of each parent the associated ids of its newest arrival."""
        rows = self.rows(
            "select parent_id, to_json(json_extract_string(payload, '$.to[*].toObjectId')) "
            f"from raw.hubspot__{relation} "
            "qualify rank() over (partition by parent_id order by _arrival desc) = 1 order by _row"
        )
        found: dict[str, list[str]] = {}
        for parent, listed in rows:
            ids = [each.strip('"') for each in listed.strip("[]").split(",") if each]
            found.setdefault(parent, []).extend(ids)
        return found
