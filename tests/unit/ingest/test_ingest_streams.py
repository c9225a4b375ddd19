"""What `sources.yml` asks for, and what `raw.ingest__streams` tells of it."""

from datetime import datetime, timedelta
from types import SimpleNamespace

import pytest

from ingest.entities import ENTITIES
from ingest.run import REPORT_NAME, declared_streams
from tests.fakes.stripe_server import FakeStripe, status

NOW = datetime(2026, 3, 1, 2, 0)
CUSTOMERS = "/v1/customers"
TOLD = (
    "select status, rows_landed, last_arrival, mode, requests, retries, "
    "date_trunc('second', pulled_at), freshness_hours "
    "from raw.ingest__streams where stream = 'customers'"
)


@pytest.fixture
def fake():
    with FakeStripe(objects={CUSTOMERS: [{"id": "cus_1", "created": 1}]}) as running:
        yield running


@pytest.fixture
def billing(night, fake, stripe_settings, monkeypatch):
    monkeypatch.setenv("TEST_STRIPE_KEY", "rk_test_1")
    more = {"changes": "full_list", "webhooks": None, "created_windows": False}
    settings = stripe_settings(fake.base_url, freshness_hours=30, full_scan_days=30, **more)
    night.sources = {"billing": settings}
    return night


def test_declared_streams_are_those_of_the_settings_each_entity_and_the_rates() -> None:
    sources = {
        "drop": SimpleNamespace(kind="files", path="drop", freshness_hours=None),
        "bank": SimpleNamespace(kind="ecb", freshness_hours=36),
    }
    found = declared_streams(SimpleNamespace(sources=sources))
    assert [each.stream for each in found] == [*ENTITIES, "rates"]
    assert found[-1].relations == ("ecb__rates",)
    assert (found[0].freshness_hours, found[-1].freshness_hours) == (None, 36)
    assert f"files__{found[0].stream}" in found[0].relations


def test_declared_streams_of_an_api_name_what_they_follow_and_fill(billing) -> None:
    settings = billing.sources["billing"]
    settings.changes, settings.streams = "events", ("events", "invoices", "balance_transactions")
    found = {each.stream: each for each in declared_streams(billing.workspace)}
    assert list(found) == ["events", "invoices", "balance_transactions"]
    assert found["invoices"].needs == ("events",)
    assert found["invoices"].relations == ("stripe__invoices", "stripe__invoice_lines")


def test_a_read_stream_tells_mode_usage_and_when(billing) -> None:
    billing.run()
    (row,) = billing.rows(TOLD)
    assert row == ("ok", 1, 1, "full", 1, 0, NOW, 30)


def test_an_unchanged_stream_was_read_now_and_a_failed_one_when_it_last_succeeded(
    billing, fake
) -> None:
    billing.run()
    later = NOW + timedelta(days=1)
    billing.run(now=later)
    assert billing.rows(TOLD)[0][0] == "unchanged"
    assert billing.rows(TOLD)[0][6] >= later
    fake.script[CUSTOMERS] = [status(403)]
    billing.run(now=NOW + timedelta(days=2))
    (row,) = billing.rows(TOLD)
    assert (row[0], row[2], row[3], row[4]) == ("failed", 2, "full", 1)
    assert later <= row[6] < NOW + timedelta(days=2)


def test_a_lost_report_is_made_up_for_by_what_was_landed(billing) -> None:
    billing.run()
    (billing.home / "landing" / REPORT_NAME).unlink()
    (row,) = billing.rows(TOLD)
    assert row == ("unchanged", 0, 1, "full", 0, 0, NOW, 30)


def test_a_report_of_an_older_version_is_read(billing) -> None:
    billing.run()
    (billing.home / "landing" / REPORT_NAME).write_text(
        '[{"source": "billing", "stream": "customers", "status": "ok", "rows_landed": 1,'
        ' "rows_rejected": 0, "last_arrival": 1, "message": "", "what_to_do": ""}]',
        encoding="utf-8",
    )
    (row,) = billing.rows(TOLD)
    assert row == ("ok", 1, 1, "full", 0, 0, NOW, 30)


def test_a_drop_folder_that_was_looked_at_is_read_then(night) -> None:
    night.write("products.csv", "product_id,name\nprod_1,Team\n")
    night.run()
    night.run(now=NOW + timedelta(hours=5))
    query = "select status, pulled_at, freshness_hours from raw.ingest__streams"
    assert night.rows(query) == [("unchanged", NOW + timedelta(hours=5), None)]
