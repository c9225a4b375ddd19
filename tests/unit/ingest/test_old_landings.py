"""Homes of version 0.1.0: what they landed of Stripe stays readable; later pulls build on it."""

from datetime import datetime

import duckdb
import pytest

from ingest.landing import LandingStore
from tests.fakes.stripe_server import FakeStripe

KEY = "rk_test_do_not_tell"


@pytest.fixture
def old_home(night, stripe_settings, monkeypatch):
    """A night whose home has one list of invoices as 0.1.0 landed it."""
    monkeypatch.setenv("TEST_STRIPE_KEY", KEY)
    with LandingStore(night.home) as store:
        writer = store.begin(
            "billing", "invoices", "stripe", datetime(2026, 2, 1), {"api_version": "1"}
        )
        connection = duckdb.connect()
        meta = (
            "'billing' as _source, 1::bigint as _arrival, 1::bigint as _row, "
            "timestamp '2026-02-01' as _retrieved_at, 'old' as _digest"
        )
        for name, role, columns in (
            ("objects", "objects", """'in_1' as object_id, '{"id":"in_1"}'::json as payload"""),
            (
                "lines",
                "lines",
                """'il_1' as object_id, '{"id":"il_1","invoice":"in_1"}'::json as payload, """
                "'in_1' as invoice_id",
            ),
        ):
            path = writer.temporary_path(f"{name}.parquet")
            connection.execute(f"copy (select {columns}, {meta}) to '{path}' (format parquet)")
            writer.commit_part(f"{name}.parquet", role, rows=1)
        writer.finalise({"listed": 1, "rows": 1, "rejected": 0})
    with FakeStripe(objects={"/v1/invoices": [{"id": "in_1", "status": "paid"}]}) as fake:
        night.sources = {"billing": stripe_settings(fake.base_url, streams=("invoices",))}
        yield night


def test_old_rows_are_in_the_raw_relations(old_home) -> None:
    assert old_home.rows("select object_id, parent_id from raw.stripe__invoices") == [
        ("in_1", None)
    ]
    assert old_home.rows("select object_id from raw.stripe__invoice_lines") == [("il_1",)]


def test_the_next_pull_lands_newer_versions_beside_them(old_home) -> None:
    report = old_home.stream("invoices")
    assert (report.status, report.rows_landed, report.last_arrival) == ("ok", 1, 2)
    assert old_home.rows("select _arrival from raw.stripe__invoices order by 1") == [(1,), (2,)]
