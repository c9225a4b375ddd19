"""A real browser on the real app: Debian's chromium, driven by Playwright, on loopback.

Without a browser these tests are skipped, and say so.
"""

from __future__ import annotations

import shutil
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.web_app import NOW, build_sample_home, copied_home

CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# Without these flags the browser asks its maker's hosts for updates; as root it needs no sandbox.
ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip


def pytest_collection_modifyitems(items):
    """Everything in this folder needs the browser."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def chromium():
    """The running browser."""
    found = next((path for path in map(shutil.which, CHROMIUM) if path), None)
    if found is None:
        pytest.skip(f"no browser is installed: looked for {', '.join(CHROMIUM)}")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def sample_home(tmp_path_factory) -> Path:
    """The sample after its night. For reading only."""
    return build_sample_home(tmp_path_factory.mktemp("sample") / "var")


class Served:
    """The app behind a real socket."""

    def __init__(self, home: Path) -> None:
        import uvicorn

        from dashboards.app import create_app
        from dashboards.settings import Settings
        from orchestration.web_services import WebServices
        from payouts.store import open_store
        from program.load import load_workspace
        from tests.web_app import PROGRAM, SECRET

        listening = socket.socket()
        listening.bind(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        self.home = home
        self.sessions: dict[str, object] = {}
        self.store = open_store(home)
        settings = Settings(
            home=home,
            workspace=load_workspace(PROGRAM),
            program_path=PROGRAM,
            clock=lambda: NOW,
            secret=SECRET,
            base_url=self.url,
            is_demo=True,
        )
        app = create_app(settings, WebServices(home, lambda: settings.workspace), self.store)
        self._server = uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False))
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [listening]})
        self._thread.start()

    def close(self) -> None:
        """Stop and wait."""
        self._server.should_exit = True
        self._thread.join()
        self.store.close()


@pytest.fixture(scope="module")
def served(sample_home, tmp_path_factory) -> Iterator[Served]:
    """The app over a copy of the sample's home, one per file of tests."""
    served = Served(copied_home(sample_home, tmp_path_factory.mktemp("served") / "var"))
    yield served
    served.close()


class Reader:
    """One person at a browser; remembers what went wrong on the way."""

    def __init__(self, context, url: str) -> None:
        self.page, self.url = context.new_page(), url
        self.faults: list[str] = []
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.faults.append(f"script: {error}"))
        self.page.on("request", self._asked)

    def _heard(self, message) -> None:
        if message.type in ("error", "warning"):
            self.faults.append(f"console: {message.text} at {self.page.url}")

    def _asked(self, request) -> None:
        if not request.url.startswith((self.url, "data:", "blob:")):
            self.faults.append(f"asked for {request.url}")

    def open(self, path: str):
        """Go to a page; its answer."""
        return self.page.goto(self.url + path, wait_until="load")

    def sign_in(self, who: str) -> Reader:
        """As somebody of the demo."""
        self.open("/sign-in")
        self.page.get_by_label("Be somebody").select_option(who)
        self.page.locator("form[action='/sign-in/demo'] button").click()
        self.page.wait_for_load_state("load")
        assert "/sign-in" not in self.page.url, self.page.inner_text("main")
        return self


def _session(chromium, url: str, who: str):
    """Cookies of somebody who has signed in; every test with the same app shares them."""
    context = chromium.new_context()
    reader = Reader(context, url).sign_in(who)
    assert reader.faults == []
    state = context.storage_state()
    context.close()
    return state


@pytest.fixture
def reader(chromium, served):
    """Makes readers; at the end none of them may have met an error or left the host."""
    contexts, readers = [], []

    def make(who: str | None = None, **options) -> Reader:
        if who is not None and who not in served.sessions:
            served.sessions[who] = _session(chromium, served.url, who)
        context = chromium.new_context(
            **{"viewport": {"width": 1440, "height": 900}, "accept_downloads": True, **options},
            storage_state=served.sessions.get(who),
        )
        contexts.append(context)
        readers.append(Reader(context, served.url))
        return readers[-1]

    yield make
    for context in contexts:
        context.close()
    assert [fault for each in readers for fault in each.faults] == []
