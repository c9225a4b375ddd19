"""Starts emulate 0.12.2, a peer of several vendors' APIs, for tests that can do without it.

It runs where `node` is at least version 24 and PARTNERLEDGER_EMULATE_DIR names the folder whose
`node_modules` has the package: `npm install emulate@0.12.2` (the tag `latest` is another program).
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

FOLDER_VARIABLE = "PARTNERLEDGER_EMULATE_DIR"
NEEDED_NODE = 24
START_SECONDS = 30


def emulate_program() -> list[str]:
    """How emulate is started; skips the test where it cannot be."""
    node = shutil.which("node")
    if not node:
        pytest.skip("node is not installed")
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout
    found = re.match(r"v(\d+)", version)
    if not found or int(found.group(1)) < NEEDED_NODE:
        pytest.skip(f"emulate needs node {NEEDED_NODE} or newer, here is {version.strip()}")
    folder = os.environ.get(FOLDER_VARIABLE)
    if not folder:
        pytest.skip(f"{FOLDER_VARIABLE} does not name the folder with node_modules/emulate")
    script = Path(folder) / "node_modules" / "emulate" / "dist" / "index.js"
    if not script.exists():
        pytest.skip(f"{FOLDER_VARIABLE} names a folder without node_modules/emulate")
    return [node, str(script)]


@contextmanager
def running_emulate(service: str, folder: Path) -> Iterator[str]:
    """A server of its own for one service, on loopback; gives its address. folder: for its log."""
    program = emulate_program()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log_path = folder / "emulate.log"
    with log_path.open("wb") as log:
        process = subprocess.Popen(
            [*program, "start", "--service", service, "--port", str(port)],
            cwd=folder,
            stdout=log,
            stderr=log,
        )
    try:
        deadline = time.monotonic() + START_SECONDS
        while True:
            assert process.poll() is None, log_path.read_text(encoding="utf-8")
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                assert time.monotonic() < deadline, "emulate does not answer"
                time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=10)
