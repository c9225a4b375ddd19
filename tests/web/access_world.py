"""A small app for tests of signing in: four partners, three people, one page that says who asks."""

from __future__ import annotations

import atexit
import json
import re
import shutil
import tempfile
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
from sqlalchemy import select
from starlette.responses import JSONResponse, Response
from starlette.testclient import TestClient

from dashboards.app import create_app
from dashboards.csrf import FIELD
from dashboards.pages import access_oidc, access_pages
from dashboards.routing import action, page
from dashboards.settings import Settings
from dashboards.users import PARTNER, STAFF
from dashboards.visit import Visit
from payouts.portal_addresses import take_over_directory
from payouts.schema import login_links, outbox_messages, web_sessions
from payouts.store import open_store
from program.load import Workspace, load_workspace

PROGRAM = Path(__file__).resolve().parents[2] / "program"
NOW = datetime(2026, 3, 1, 9, 0)
SECRET = b"a secret of tests, long enough for a key"
ANA, BEN, MIA = "ana@acme.example", "ben@acme.example", "mia@northpeak.example"
PARTNERS = [
    ("p_4", "Northpeak Media", "active"),
    ("p_5", "Bluefinch", "paused"),
    ("p_6", "Gone", "terminated"),
    ("p_8", "Both", "active"),
]
DIRECTORY = [("p_4", MIA), ("p_5", "both@x.example"), ("p_6", "gone@x.example"),
             ("p_8", "both@x.example")]  # fmt: skip


def who(visit: Visit) -> Response:
    """Says who asks."""
    user = visit.user
    return JSONResponse(
        {"subject": user.subject, "name": user.name, "roles": sorted(user.roles),
         "partner_id": user.partner_id, "identity_level": user.identity_level}
    )  # fmt: skip


def can_approve(visit: Visit) -> Response:
    """Says what the terms of this request allow."""
    rules = visit.approval_rules
    return JSONResponse({role: rules.has_role(visit.user.subject, role) for role in
                         ("partnerships", "finance")})  # fmt: skip


ENTRIES = [
    *access_pages.ENTRIES,
    *access_oidc.ENTRIES,
    page("/who", who, STAFF),
    page("/can-approve", can_approve, STAFF),
    page("/portal/who", who, PARTNER),
    action("/act", who, STAFF),
]


class Services:
    """Nothing is asked of the room that runs nights."""

    def last_night(self) -> None:
        """No night is known."""
        return None


class AccessWorld:
    """An app, its clock and its home. ``changes``: of the settings."""

    def __init__(self, folder: Path, **changes: Any) -> None:
        built, workspace = _built()
        self.home, self.program, self.now = folder / "home", folder / "program", NOW
        if not self.program.exists():
            shutil.copytree(built / "program", self.program)
        if not self.home.exists():
            shutil.copytree(built / "home", self.home)
        self.store = open_store(self.home, synchronous="OFF")
        self.settings = Settings(
            **{
                "home": self.home,
                "workspace": replace(
                    workspace,
                    root=self.program,
                    program_path=self.program / "program.yml",
                    sources_path=self.program / "sources.yml",
                ),
                "clock": lambda: self.now,
                "secret": SECRET,
                **changes,
            }
        )
        self.app = create_app(self.settings, Services(), self.store, ENTRIES)

    def close(self) -> None:
        """Close the control database."""
        self.store.close()

    def client(self, **options: Any) -> TestClient:
        """A browser of its own."""
        return TestClient(
            self.app,
            base_url=self.settings.base_url,
            follow_redirects=False,
            **{"client": ("192.0.2.1", 50_000), **options},
        )

    def later(self, **passed: int) -> None:
        """Let time pass."""
        self.now += timedelta(**passed)

    def publish(self, partners: list[tuple[str, str, str]]) -> None:
        """A snapshot that knows these partners: (id, name, status)."""
        _publish(self.home, partners)

    def change_program(self, before: str, after: str) -> None:
        """Edit program.yml, as its keeper does."""
        file = self.program / "program.yml"
        text = file.read_text()
        assert before in text
        file.write_text(text.replace(before, after))

    def request_link(self, client: TestClient, email: str, wanted: str = "") -> Any:
        """Ask for a link."""
        return client.post("/sign-in/link", data={"email": email, "next": wanted})

    def mailed(self) -> list[tuple[str, str]]:
        """Messages that wait: recipient and path of the link, the oldest first."""
        with self.store.read() as connection:
            rows = connection.execute(
                select(outbox_messages).order_by(outbox_messages.c.created_at)
            ).all()
        base = self.settings.base_url
        return [
            (row.recipient, json.loads(row.payload)["link"].removeprefix(base))
            for row in rows
            if row.kind == "sign_in_link"
        ]

    def link(self, email: str = MIA) -> str:
        """Path of a new link that was sent to an address."""
        before = len(self.mailed())
        self.request_link(self.client(client=(f"198.51.100.{before + 1}", 1)), email)
        sent = self.mailed()
        assert len(sent) == before + 1
        return next(path for recipient, path in reversed(sent) if recipient == email)

    def rows(self, table: Any) -> list[Any]:
        """All rows of a table of the control database."""
        with self.store.read() as connection:
            return connection.execute(select(table)).all()

    def sessions(self) -> list[Any]:
        """Rows of sessions."""
        return self.rows(web_sessions)

    def links(self) -> list[Any]:
        """Rows of links."""
        return self.rows(login_links)

    def signed_in_partner(self) -> TestClient:
        """A browser in which p_4 is signed in."""
        client = self.client()
        assert client.post(self.link()).status_code == 303
        return client

    def post(self, client: TestClient, path: str, **fields: str) -> Any:
        """Send a form with the token of the page that shows it."""
        shown = client.get("/sign-in").text
        token = re.search(rf'name="{FIELD}" value="([^"]*)"', shown).group(1)
        return client.post(path, data={FIELD: token, **fields})


@cache
def _built() -> tuple[Path, Workspace]:
    """Programme and home that every test copies, made once per run."""
    folder = Path(tempfile.mkdtemp(prefix="access-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    ignored = shutil.ignore_patterns("*.py", "__pycache__")
    shutil.copytree(PROGRAM, folder / "program", ignore=ignored)
    store = open_store(folder / "home", synchronous="OFF")
    with store.write() as connection:
        take_over_directory(connection, DIRECTORY, NOW)
    store.close()
    _publish(folder / "home", PARTNERS)
    return folder, load_workspace(folder / "program")


def _publish(home: Path, partners: list[tuple[str, str, str]]) -> None:
    serving = home / "serving"
    serving.mkdir(exist_ok=True)
    name = f"night-{len(list(serving.glob('*.duckdb')))}.duckdb"
    with duckdb.connect(str(serving / name)) as connection:
        connection.execute("create schema marts")
        connection.execute(
            'create table marts.dim_partners (partner_id text, name text, "group" text, '
            "status text)"
        )
        connection.executemany(
            "insert into marts.dim_partners values (?, ?, 'default', ?)", partners
        )
    pointer = {
        "path": name, "run_id": name, "as_of": "2026-02-28",
        "published_at": "2026-03-01T05:00:00", "sha256": "", "terms_hash": "", "journal_head": "",
    }  # fmt: skip
    (serving / "current.json").write_text(json.dumps(pointer))
