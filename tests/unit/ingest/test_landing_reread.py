"""Rows made again from what was landed: after a fix, without a request, all at once."""

import json
from datetime import datetime, timedelta
from types import SimpleNamespace

import duckdb
import pytest

from ingest.landing import LandingStore, read_landings
from ingest.landing_admin import verify_landings
from ingest.objects import Records
from ingest.report import Reject
from ingest.reread import reread
from tests.fakes.ecb_server import FakeEcb
from tests.fakes.stripe_server import FakeStripe

CUSTOMERS = "/v1/customers"
NOW = datetime(2026, 3, 9)
HEADER = "partner_id,name,email\n"
REST = ",Ann,a@b.example\n"


@pytest.fixture
def fake():
    listed = [{"id": f"cus_{number:03d}", "name": "old"} for number in range(12)]
    with FakeStripe(objects={CUSTOMERS: listed}, page_cap=5) as running:
        yield running


@pytest.fixture
def billing(night, fake, stripe_settings, monkeypatch):
    """A night with one stripe source, pulled three times with changes in between."""
    monkeypatch.setenv("TEST_STRIPE_KEY", "rk_test")
    night.sources = {"billing": stripe_settings(fake.base_url)}
    for day in range(3):
        for each in fake.objects[CUSTOMERS][: 4 * day]:
            each["name"] = f"day {day}"
        night.run(now=datetime(2026, 3, 1) + timedelta(days=day))
    fake.log.clear()
    return night


def again(night, *names, **keywords):
    with LandingStore(night.home) as store:
        return reread(night.workspace, store, names or None, now=NOW, **keywords)


def manifests(night):
    return {path: path.read_bytes() for path in night.manifests()}


def slice_by(monkeypatch, **changes) -> None:
    """Change how lists of customers are sliced, as a fix would."""
    import ingest.connectors
    import ingest.reread

    load = ingest.connectors.load_connector

    def changed(kind):
        connector = load(kind)

        def streams(settings):
            return [
                SimpleNamespace(
                    name=each.name,
                    records=[
                        Records(**{**record.__dict__, **changes}) if record.items else record
                        for record in each.records
                    ],
                )
                for each in connector.streams(settings)
            ]

        return SimpleNamespace(streams=streams)

    monkeypatch.setattr(ingest.reread, "load_connector", changed)


def load_connector(monkeypatch) -> None:
    """Slice as this version does."""
    import ingest.connectors
    import ingest.reread

    monkeypatch.setattr(ingest.reread, "load_connector", ingest.connectors.load_connector)


ROWS = (
    "select object_id, payload::varchar, _arrival, _row, is_tombstone, parent_id "
    "from raw.stripe__customers order by all"
)


def test_rereading_by_the_same_rules_changes_nothing(billing) -> None:
    before, files = billing.rows(ROWS), manifests(billing)
    (told,) = again(billing)
    assert (told.landings, told.changed, told.rows_before, told.rows_after) == (3, 0, 24, 24)
    assert billing.rows(ROWS) == before
    assert manifests(billing) == files
    assert not list(billing.home.glob("landing/*/*/*/reread*"))


def test_rereading_after_a_fix_makes_all_rows_anew_without_a_request(
    billing, fake, monkeypatch
) -> None:
    slice_by(monkeypatch, parent="name")
    (told,) = again(billing)
    assert (told.landings, told.changed) == (3, 3)
    assert fake.log == []
    assert billing.rows(
        "select _arrival, parent_id, count(*) from raw.stripe__customers group by all order by all"
    ) == [(1, "old", 12), (2, "day 1", 4), (3, "day 2", 8)]


def test_what_changed_is_computed_against_the_reread_landings_before(billing, monkeypatch) -> None:
    # By another id every landing's rows would all be new if the old ones counted as earlier.
    slice_by(monkeypatch, id="")
    (told,) = again(billing)
    vanished = 4 + 8
    assert told.rows_after == 12 + 4 + 8 + vanished
    load_connector(monkeypatch)
    again(billing)
    assert billing.rows("select count(distinct object_id) from raw.stripe__customers") == [(12,)]


def test_evidence_is_untouched_and_old_rows_stay_as_files(billing, monkeypatch) -> None:
    pages = {path: path.read_bytes() for path in billing.home.rglob("pages-*")}
    rows = {path: path.read_bytes() for path in billing.home.rglob("*.parquet")}
    before = manifests(billing)
    slice_by(monkeypatch, parent="name")
    again(billing)
    for path, content in {**pages, **rows}.items():
        assert path.read_bytes() == content
    for path, content in manifests(billing).items():
        assert content.startswith(before[path])
        added = [json.loads(line) for line in content[len(before[path]) :].splitlines()]
        assert [each["record"] for each in added] == ["reread"]
    found = verify_landings(billing.home)
    assert (found.damages, found.parts) == ((), 3 * (1 + 1 + 1))


def test_a_dry_run_counts_and_changes_nothing(billing, monkeypatch) -> None:
    before = {path: path.read_bytes() for path in billing.home.rglob("*") if path.is_file()}
    slice_by(monkeypatch, parent="name")
    (told,) = again(billing, is_dry_run=True)
    assert (told.changed, told.rows_before, told.rows_after) == (3, 24, 24)
    after = {path: path.read_bytes() for path in billing.home.rglob("*") if path.is_file()}
    assert after == before
    assert not (billing.home / "landing/dry-run").exists()


def test_the_next_pull_goes_on_from_the_same_state(billing, fake, monkeypatch) -> None:
    states = [each.totals["state"] for each in read_landings(billing.home)]
    slice_by(monkeypatch, parent="name")
    again(billing)
    assert [each.totals["state"] for each in read_landings(billing.home)] == states
    fake.objects[CUSTOMERS].insert(0, {"id": "cus_new"})
    assert billing.stream("customers", now=NOW).rows_landed == 1


def test_a_vanished_object_stays_vanished(billing, fake, monkeypatch) -> None:
    del fake.objects[CUSTOMERS][10:]
    billing.run(now=datetime(2026, 3, 5))
    slice_by(monkeypatch, parent="name")
    again(billing)
    assert billing.rows(
        "select object_id, parent_id from raw.stripe__customers where is_tombstone order by 1"
    ) == [("cus_010", "old"), ("cus_011", "old")]


def test_a_damaged_page_stops_its_stream_and_keeps_all_later_rows(billing, monkeypatch) -> None:
    before = billing.rows("select count(*) from raw.stripe__customers where _arrival >= 2")
    (page, *_) = sorted(billing.home.glob("landing/billing/customers/0000000002/pages-*"))
    page.write_bytes(b"damaged")
    slice_by(monkeypatch, parent="name")
    (told,) = again(billing)
    assert told.changed == 1
    assert "0000000002/pages-00001.ndjson.zst: is missing or is not what was" in told.message
    assert "backup" in told.what_to_do
    assert (
        billing.rows(
            "select count(*) from raw.stripe__customers where _arrival >= 2 and parent_id is null"
        )
        == before
    )


def test_full_disk_while_rereading_leaves_the_old_rows(billing, monkeypatch) -> None:
    import os

    before, files = billing.rows(ROWS), manifests(billing)
    slice_by(monkeypatch, parent="name")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with LandingStore(billing.home) as store:
        with monkeypatch.context() as patched:
            patched.setattr(os, "fsync", full)
            (told,) = reread(billing.workspace, store, now=NOW)
        assert "no space left" in told.message
        assert billing.rows(ROWS) == before
        assert manifests(billing) == files
        (told,) = reread(billing.workspace, store, now=NOW)
    assert (told.changed, told.message) == (3, "")


def test_full_disk_while_recording_leaves_the_old_rows(billing, monkeypatch) -> None:
    import ingest.landing

    before, real = billing.rows(ROWS), ingest.landing.append_durably
    slice_by(monkeypatch, parent="name")

    def full(path, line):
        raise OSError(28, "No space left on device")

    with LandingStore(billing.home) as store:
        monkeypatch.setattr(ingest.landing, "append_durably", full)
        (told,) = reread(billing.workspace, store, now=NOW)
        assert "no space left" in told.message
        monkeypatch.setattr(ingest.landing, "append_durably", real)
        assert billing.rows(ROWS) == before
        (told,) = reread(billing.workspace, store, now=NOW)
    assert told.changed == 3
    assert verify_landings(billing.home).damages == ()


def test_only_the_named_stream_is_reread(billing, fake, stripe_settings, monkeypatch) -> None:
    fake.objects["/v1/refunds"] = [{"id": "re_1"}]
    billing.sources = {"billing": stripe_settings(fake.base_url, streams=("refunds",))}
    billing.run(now=datetime(2026, 3, 4))
    slice_by(monkeypatch, parent="name")
    found = again(billing, streams=["refunds"])
    assert [(each.stream, each.changed) for each in found] == [("refunds", 0)]


def test_unfinished_pulls_are_not_reread(billing, fake, monkeypatch) -> None:
    with LandingStore(billing.home) as store:
        writer = store.begin("billing", "customers", "stripe", NOW, {})
        writer.temporary_path("pages-00001.ndjson.zst").write_bytes(b"x")
        writer.commit_part("pages-00001.ndjson.zst", "pages", rows=1)
    (told,) = again(billing)
    assert (told.landings, told.message) == (3, "")


def test_a_stream_this_version_does_not_know_keeps_its_rows(billing, monkeypatch) -> None:
    with LandingStore(billing.home) as store:
        writer = store.begin("billing", "gone", "stripe", NOW, {})
        writer.finalise({})
    found = {each.stream: each for each in again(billing)}
    assert "no such stream" in found["gone"].message
    assert found["customers"].message == ""


def test_dropped_files_are_read_again_from_their_kept_bytes(night, monkeypatch) -> None:
    import ingest.staged

    night.write("refunds.csv", "refund_id,invoice_id,amount_minor,refunded_at\nx,i,1,nope\n")
    night.write("partners.csv", f"{HEADER}p1{REST}p2{REST}")
    night.run()
    rows = "select * from raw.files__partners order by _row"
    before = night.rows(rows)
    for path in night.drop.iterdir():
        path.unlink()
    told = {each.stream: each for each in again(night)}
    assert [each.changed for each in told.values()] == [0, 0]

    real = ingest.staged.find_rejects

    def refuse_first(connection, entity, name, *more):
        real(connection, entity, name, *more)
        connection.execute("create or replace table failing as select 1::bigint as _row")
        return [Reject(name, 1, 2, "", "refused by a new rule")]

    monkeypatch.setattr(ingest.staged, "find_rejects", refuse_first)
    told = {each.stream: each for each in again(night)}
    assert (told["partners"].rows_before, told["partners"].rows_after) == (2, 1)
    assert night.rows("select entity, row from raw.ingest__rejects order by all") == [
        ("partners", 1),
        ("refunds", 1),
    ]
    monkeypatch.setattr(ingest.staged, "find_rejects", real)
    again(night)
    assert night.rows(rows) == before
    assert night.rows("select entity, row from raw.ingest__rejects") == [("refunds", 1)]
    assert read_landings(night.home)[0].generation == 2


def test_a_file_that_today_is_refused_whole_keeps_its_rows_and_others_go_on(
    night, monkeypatch
) -> None:
    import ingest.reread_files
    from ingest.errors import FileRefusedError

    night.write("partners.csv", f"{HEADER}p1{REST}")
    night.write("partners-2.csv", f"{HEADER}p2{REST}")
    night.run()
    real = ingest.reread_files.write_rows

    def write(writer, entity, received, name, *more):
        if name == "partners.csv":
            raise FileRefusedError("partners.csv: no longer read", "Mend it.")
        return real(writer, entity, received, name, *more)

    monkeypatch.setattr(ingest.reread_files, "write_rows", write)
    (told,) = again(night)
    assert told.message == "partners.csv: no longer read"
    assert (told.landings, told.rows_after) == (2, 2)
    assert night.rows("select count(*) from raw.files__partners") == [(2,)]


def test_rates_are_made_again_from_their_kept_file(night, monkeypatch) -> None:
    import ingest.ecb

    days = {"2026-02-26": {"USD": "1.0777"}, "2026-02-27": {"USD": "1.0812"}}
    with FakeEcb(days=days) as bank:
        night.sources = {
            "bank": SimpleNamespace(
                kind="ecb", base_url=bank.base_url, streams=("rates",), timeout_seconds=5,
                history=True,
            )
        }  # fmt: skip
        night.run(now=datetime(2026, 3, 1, 2))
    query = "select object_id, payload ->> 'rate' from raw.ecb__rates order by all"
    before = night.rows(query)
    (told,) = again(night)
    assert (told.changed, told.rows_before, told.rows_after) == (0, 2, 2)

    real = ingest.ecb.read_rates

    def only_newest(*given):
        return [each for each in real(*given) if each.rate_date == "2026-02-27"]

    monkeypatch.setattr(ingest.ecb, "read_rates", only_newest)
    (told,) = again(night)
    assert (told.changed, told.rows_after) == (1, 1)
    assert night.rows(query) == before[1:]
    monkeypatch.setattr(ingest.ecb, "read_rates", real)
    again(night)
    assert night.rows(query) == before


def test_rejects_of_webhook_bodies_stay_as_they_were_told(account) -> None:
    folder = account.night.root / "hooks"
    folder.mkdir()
    (folder / "a.ndjson").write_text('{"no": "event"}\n', encoding="utf-8")
    account.settings(webhooks=SimpleNamespace(path="hooks", secret_env=None))
    account.pull(0)
    query = "select entity, row, reason from raw.ingest__rejects"
    before = account.night.rows(query)
    assert len(before) == 1
    assert [each.changed for each in again(account.night)] == [0, 0, 0, 0]
    assert account.night.rows(query) == before


@pytest.fixture
def first_release(night, fake, stripe_settings, monkeypatch):
    """A home whose only landing of customers is one of version 0.1.0."""
    import zstandard

    monkeypatch.setenv("TEST_STRIPE_KEY", "rk_test")
    night.sources = {"billing": stripe_settings(fake.base_url)}
    body = json.dumps({"data": fake.objects[CUSTOMERS], "has_more": False})
    line = json.dumps(
        {
            "sequence": 1, "kind": "list", "path": CUSTOMERS, "parent_id": None, "status": 200,
            "request_id": "req_1", "retrieved_at": "2026-02-01T02:00:00", "body": body,
        }
    )  # fmt: skip
    with LandingStore(night.home) as store:
        at = datetime(2026, 2, 1)
        writer = store.begin("billing", "customers", "stripe", at, {"api_version": "1"})
        name = "pages-00001.ndjson.zst"
        packed = zstandard.ZstdCompressor().compress(line.encode() + b"\n")
        writer.temporary_path(name).write_bytes(packed)
        writer.commit_part(name, "pages", rows=1, cursor={}, longest_line_bytes=len(line) + 1)
        duckdb.connect().execute(
            "copy (select printf('cus_%03d', number) as object_id, '{}'::json as payload, "
            "'billing' as _source, 1::bigint as _arrival, number as _row, "
            "timestamp '2026-02-01' as _retrieved_at, 'old' as _digest from range(12) as "
            f"found(number)) to '{writer.temporary_path('objects.parquet')}' (format parquet)"
        )
        writer.commit_part("objects.parquet", "objects", rows=12, listed=12)
        writer.finalise({"listed": 12, "rows": 12, "rejected": 0})
    return night


def test_a_landing_of_the_first_release_can_be_reread(first_release) -> None:
    (told,) = again(first_release)
    assert (told.rows_before, told.rows_after, told.message) == (12, 12, "")
    assert first_release.rows("select count(*) from raw.stripe__customers") == [(12,)]


def test_a_pull_after_the_first_release_lists_everything_anew(first_release, fake) -> None:
    report = first_release.stream("customers")
    assert (report.status, report.rows_landed) == ("ok", 12)
    del fake.objects[CUSTOMERS][5:]
    assert "last time it had 12" in first_release.stream("customers").message
