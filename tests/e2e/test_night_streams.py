"""Whole nights in which one stream fails: one that no money needs, then one that it needs."""

import os

import pytest
from conftest import FIRST_DATE
from tiny import write_tiny_workspace

from dashboards.snapshot import read_pointer
from orchestration.errors import StreamsFailedError
from orchestration.in_process import home_instance
from orchestration.night import run_night
from tests.compiled import run_compiled_night
from tests.fakes.stripe_server import FakeStripe, status

pytestmark = pytest.mark.e2e

CUSTOMERS = "/v1/customers"
CHARGES = "/v1/charges"
BALANCE = "/v1/balance_transactions"
SOURCES = """\
sources:
  drop: {{kind: files, path: drop}}
  billing:
    kind: stripe
    base_url: {base_url}
    api_key_env: TEST_STRIPE_KEY
    api_version: 2025-02-24.acacia
    streams: [customers, charges, balance_transactions]
    changes: full_list
    created_windows: false
"""


@pytest.fixture(scope="module")
def story(tmp_path_factory):
    """Workspace, home, the fake, and a first night in which the side stream is refused."""
    root = tmp_path_factory.mktemp("streams")
    workspace, home = write_tiny_workspace(root / "workspace"), root / "var"
    os.environ["TEST_STRIPE_KEY"] = "rk_test_1"
    with FakeStripe(objects={CUSTOMERS: [], CHARGES: [], BALANCE: []}) as fake:
        text = SOURCES.format(base_url=fake.base_url)
        (workspace / "sources.yml").write_text(text, encoding="utf-8")
        fake.script[BALANCE] = [status(403)]
        yield workspace, home, fake, run_compiled_night(workspace, home, FIRST_DATE)
    del os.environ["TEST_STRIPE_KEY"]


def last_run(home):
    """Status of the newest run, and its failed steps."""
    import dagster as dg

    instance = home_instance(home)
    try:
        (run,) = instance.get_runs(limit=1)
        events = instance.all_logs(run.run_id, of_type=dg.DagsterEventType.STEP_FAILURE)
        return run.status, {each.dagster_event.step_key for each in events}
    finally:
        instance.dispose()


def test_a_night_is_published_without_a_stream_that_no_money_needs(story):
    import dagster as dg

    _, home, _, first = story
    assert first.posted_rows == 3
    assert read_pointer(home).run_id == first.run_id
    assert [each.stream for each in first.stale_streams] == ["balance_transactions"]
    # Dagster shows the step, and with it the run, red: somebody has to give the permission.
    assert last_run(home) == (
        dg.DagsterRunStatus.FAILURE,
        {"landing__billing__balance_transactions"},
    )


def test_a_night_stops_at_a_stream_the_money_needs_after_landing_the_others(story):
    workspace, home, fake, first = story
    fake.script[CUSTOMERS] = [status(403)]
    fake.objects[CHARGES] = [{"id": "ch_1", "object": "charge", "created": 1}]
    with pytest.raises(StreamsFailedError, match="billing, stream customers"):
        run_night(workspace, home, FIRST_DATE)
    assert read_pointer(home).run_id == first.run_id
    _, failed = last_run(home)
    assert failed == {"landing__billing__customers"}
    assert list(home.glob("landing/billing/charges/*/*.parquet"))
