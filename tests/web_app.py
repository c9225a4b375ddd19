"""The web app over the sample's home, in process: what the tests of pages and browsers share.

The home is built once per session by a real night of the bundled sample; each test that writes
takes a copy. Does not belong here: expected values.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from dashboards.settings import Settings
from dashboards.users import PARTNER_ROLE, User
from orchestration.cli_common import REPOSITORY
from payouts.store import Store, open_store
from program.load import load_workspace

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.testclient import TestClient

PROGRAM = REPOSITORY / "program"
NOW = datetime(2026, 3, 1, 6, 30)
"""Naive UTC: an hour after the sample's night."""
SECRET = b"a secret of tests, long enough for a key"
# A home of the sample that was built before, to save the night while pages are worked on.
HOME_VARIABLE = "PARTNERLEDGER_TEST_SAMPLE_HOME"
_APPS: dict[int, WebApp] = {}
ANA, BEN, CLEO = "ana@acme.example", "ben@acme.example", "cleo@acme.example"


def build_sample_home(home: Path) -> Path:
    """The demo's night at a fixed hour, models run as dbt compiled them."""
    from orchestration import demo, phases
    from tests.compiled import run_compiled_night

    built = os.environ.get(HOME_VARIABLE)
    if built:
        shutil.copytree(built, home)
        return home
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(demo, "utc_now", lambda: NOW - timedelta(hours=2))
        demo._prepare_payees(home)
    run_compiled_night(
        PROGRAM,
        home,
        demo.sample_as_of(),
        clock=lambda: NOW - timedelta(hours=1),
        compiled=(phases.FACTS, phases.LEDGER, phases.PAYOUTS),
    )
    return home


def copied_home(built: Path, to: Path) -> Path:
    """A home of its own for a test that writes; published files are shared by hard links."""
    shutil.copytree(
        built, to, ignore=shutil.ignore_patterns("serving", "warehouse", "landing", "dagster")
    )
    for name in ("serving", "landing"):
        shutil.copytree(built / name, to / name, copy_function=os.link)
    return to


def user_of(who: str, **changes: Any) -> User:
    """A person of program.yml, or `partner:<id>`, as if signed in."""
    if who.startswith("partner:"):
        return replace(
            User(who, who, frozenset({PARTNER_ROLE}), who.partition(":")[2], "os_user", "s" * 64),
            **changes,
        )
    roles = load_workspace(PROGRAM).program.roles
    found = {role for role in type(roles).model_fields if who in getattr(roles, role)}
    return replace(User(who, who, frozenset(found), None, "os_user", "s" * 64), **changes)


class WebApp:
    """An app over a home, and clients as whom you name."""

    def __init__(self, app: Starlette, settings: Settings, store: Store) -> None:
        self.app, self.settings, self.store = app, settings, store
        self.user: User | None = None

    def client(self, who: User | str | None, **options: Any) -> TestClient:
        """A client that has signed in as this person, without going through the sign-in pages.

        One person at a time: the last client that was asked for decides.
        """
        from starlette.testclient import TestClient

        self.user = user_of(who) if isinstance(who, str) else who
        return TestClient(
            self.app, base_url=self.settings.base_url, follow_redirects=False, **options
        )

    def post(self, who: User | str, path: str, fields: dict[str, str] | None = None) -> Any:
        """Send a form as a page of the app would, with its token."""
        from dashboards.csrf import FIELD, form_token

        client = self.client(who)
        assert self.user is not None
        token = form_token(self.settings.secret, self.user.session_id)
        return client.post(path, data={FIELD: token, **(fields or {})})


@contextmanager
def web_app(home: Path, **changes: Any) -> Iterator[WebApp]:
    """The app over a home at NOW. changes: of its settings."""
    from dashboards.app import create_app
    from orchestration.web_services import WebServices

    settings = Settings(
        home=home,
        workspace=load_workspace(PROGRAM),
        program_path=PROGRAM,
        clock=lambda: NOW,
        secret=SECRET,
        base_url="http://127.0.0.1:8321",
        allowed_hosts=("127.0.0.1", "localhost", "testserver"),
    )
    settings = replace(settings, **changes)
    store = open_store(home)
    try:
        made = WebApp(
            create_app(settings, WebServices(home, lambda: settings.workspace), store),
            settings,
            store,
        )
        _signed_in_as_told(made)
        yield made
    finally:
        _APPS.pop(id(settings), None)
        store.close()


def _signed_in_as_told(made: WebApp) -> None:
    """Let `client` of this app decide who has signed in; all other apps ask their cookies."""
    from dashboards import access

    _APPS[id(made.settings)] = made
    if getattr(access.user_of, "is_of_tests", False):
        return
    by_cookie = access.user_of

    def user_of(request: Any, settings: Settings, *rest: Any) -> User | None:
        told = _APPS.get(id(settings))
        return told.user if told is not None else by_cookie(request, settings, *rest)

    user_of.is_of_tests = True
    access.user_of = user_of
