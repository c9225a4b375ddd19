"""What the commands that only fetch leave in the log."""

import sys
from pathlib import Path

import pytest
from cli_world import run_process

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from tests.fakes.stripe_server import FakeStripe

SECRET = "rk_test_do_not_tell"
SOURCES = """
sources:
  billing:
    kind: stripe
    base_url: {address}
    streams: [products]
    changes: full_list
    created_windows: false
"""


@pytest.fixture
def programme(tmp_path) -> Path:
    """A workspace that was never used."""
    folder = tmp_path / "programme"
    assert run_process("init", str(folder)).code == 0
    return folder


@pytest.mark.parametrize("command", ["ingest", "backfill"])
def test_the_log_holds_the_request_ids_and_no_secret(programme, command: str) -> None:
    with FakeStripe(objects={"/v1/products": [{"id": "prod_1", "object": "product"}]}) as fake:
        text = SOURCES.format(address=fake.base_url)
        (programme / "sources.yml").write_text(text, encoding="utf-8")
        looked = run_process(command, "--dry-run", cwd=programme, STRIPE_API_KEY=SECRET)
        assert (looked.code, (programme / "var").exists()) == (0, False)
        done = run_process(command, cwd=programme, STRIPE_API_KEY=SECRET)
    assert (done.code, done.err) == (0, "")
    log = (programme / "var" / "logs" / "night.log").read_text(encoding="utf-8")
    assert "INFO ingest.http billing: GET /v1/products: status 200, request id req_1" in log
    assert SECRET not in log


def test_a_home_whose_log_cannot_be_written_is_told_in_one_line(programme) -> None:
    (programme / "var").mkdir()
    (programme / "var" / "logs").write_text("in the way", encoding="utf-8")
    done = run_process("ingest", cwd=programme)
    assert (done.code, done.err.count("\n")) == (1, 1)
    assert "logs: cannot be written" in done.err
