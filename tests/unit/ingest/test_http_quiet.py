"""Nothing that is logged on the way to a failure repeats an address with a personal value."""

import logging
import socket
import socketserver
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest.errors import IngestError
from ingest.http import HttpClient

ROOT = Path(__file__).resolve().parents[3]
PERSON, TOKEN = "anna.person", "sync-do-not-tell"
ASK = """
import sys
from ingest.errors import IngestError
from ingest.http import HttpClient
client = HttpClient("demos", sys.argv[1], "", "X", 2, pause=lambda seconds: None)
try:
    client.get("/calendars/anna.person%40own.example", {"syncToken": "sync-do-not-tell"}, print,
               shown_path="/calendars/{calendar 1}")
except IngestError as error:
    print("told:", error, file=sys.stderr)
"""


class HangUp(socketserver.BaseRequestHandler):
    """Takes a request and says nothing."""

    def handle(self) -> None:
        self.request.recv(1)


@pytest.fixture(params=["closed port", "connection that breaks off"])
def unreachable(request) -> Iterator[str]:
    """Address of a server that gives no answer."""
    if request.param == "closed port":
        with socket.socket() as unused:
            # Bound, so that nobody else gets it, and never listening.
            unused.bind(("127.0.0.1", 0))
            yield f"http://127.0.0.1:{unused.getsockname()[1]}"
        return
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), HangUp) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def test_a_failing_connection_is_told_without_the_address(unreachable, caplog, capfd) -> None:
    caplog.set_level(logging.DEBUG)
    client = HttpClient("demos", unreachable, "", "X", 2, pause=lambda _: None)
    with pytest.raises(IngestError) as raised:
        client.get(
            f"/calendars/{PERSON}%40own.example",
            {"syncToken": TOKEN},
            print,
            shown_path="/calendars/{calendar 1}",
        )
    told = caplog.text + str(raised.value) + "".join(capfd.readouterr())
    assert "{calendar 1}" in told
    assert PERSON not in told
    assert TOKEN not in told


def test_a_process_that_logs_nowhere_writes_no_address_either(unreachable) -> None:
    done = subprocess.run(
        [sys.executable, "-c", ASK, unreachable],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert "told: " in done.stderr
    assert PERSON not in done.stderr
    assert TOKEN not in done.stderr
