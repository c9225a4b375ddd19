"""Taking old evidence away: what goes, what stays, and what is said of it afterwards."""

import json
from datetime import datetime, timedelta

import pytest

from ingest.landing import LandingStore, read_landings
from ingest.landing_admin import list_landings, verify_landings
from ingest.reread import reread
from ingest.retention import find_prunable, prune
from tests.fakes.stripe_server import FakeStripe

CUSTOMERS = "/v1/customers"
FIRST = datetime(2026, 1, 1)
LATER = datetime(2026, 3, 1)


@pytest.fixture
def fake():
    listed = [{"id": f"cus_{number:03d}", "name": "old"} for number in range(12)]
    with FakeStripe(objects={CUSTOMERS: listed}, page_cap=5) as running:
        yield running


@pytest.fixture
def billing(night, fake, stripe_settings, monkeypatch):
    """One stripe source, pulled on three days of January with a change each."""
    monkeypatch.setenv("TEST_STRIPE_KEY", "rk_test")
    night.sources = {"billing": stripe_settings(fake.base_url)}
    for day in range(3):
        fake.objects[CUSTOMERS][day]["name"] = f"day {day}"
        night.run(now=FIRST + timedelta(days=day))
    return night


def take_away(night, days: int, now: datetime = LATER, sources=None) -> list[int]:
    with LandingStore(night.home) as store:
        found = find_prunable(store, days, sources, now=now)
        prune(store, found, now=now)
    return [each.landing.arrival for each in found]


def files(night, arrival: int) -> list[str]:
    (directory,) = night.home.glob(f"landing/*/*/{arrival:010d}")
    return sorted(each.name for each in directory.iterdir())


ROWS = "select object_id, payload::varchar, _arrival from raw.stripe__customers order by all"


def test_old_pages_go_and_rows_manifests_and_the_newest_landing_stay(billing) -> None:
    before = billing.rows(ROWS)
    assert take_away(billing, 30) == [1, 2]
    assert files(billing, 1) == ["customers-00001.parquet", "manifest.jsonl"]
    assert "pages-00001.ndjson.zst" in files(billing, 3)
    assert billing.rows(ROWS) == before
    assert [each.state for each in list_landings(billing.home)] == ["pruned", "pruned", "final"]
    found = verify_landings(billing.home)
    assert (found.damages, found.pruned) == ((), 2)


def test_the_manifest_keeps_the_hash_of_what_went(billing) -> None:
    (manifest, *_) = billing.manifests()
    before = manifest.read_bytes()
    take_away(billing, 30)
    assert manifest.read_bytes().startswith(before)
    told = json.loads(manifest.read_bytes().splitlines()[-1])
    assert told == {
        "record": "pruned",
        "parts": ["pages-00001.ndjson.zst"],
        "at": LATER.isoformat(),
    }
    assert read_landings(billing.home)[0].evidence[0].sha256


def test_what_is_younger_stays(billing) -> None:
    assert take_away(billing, 1, now=FIRST + timedelta(days=1, hours=12)) == [1]
    assert take_away(billing, 365) == []


def test_a_second_time_there_is_nothing_left_to_take(billing) -> None:
    take_away(billing, 30)
    assert take_away(billing, 30) == []


def test_the_night_goes_on_after_pruning(billing, fake) -> None:
    take_away(billing, 30)
    assert billing.stream("customers", now=LATER).status == "unchanged"
    fake.objects[CUSTOMERS][0]["name"] = "newer"
    assert billing.stream("customers", now=LATER).rows_landed == 1


def test_a_pruned_landing_is_not_reread_and_counted(billing) -> None:
    take_away(billing, 30)
    before = billing.rows(ROWS)
    with LandingStore(billing.home) as store:
        (told,) = reread(billing.workspace, store, now=LATER)
    assert (told.pruned, told.changed, told.rows_before, told.rows_after) == (2, 0, 14, 14)
    assert told.message == ""
    assert billing.rows(ROWS) == before


@pytest.mark.parametrize("is_abandoned", [True, False])
def test_an_old_pull_that_never_became_visible_goes_as_a_whole(billing, is_abandoned) -> None:
    with LandingStore(billing.home) as store:
        writer = store.begin("billing", "refunds", "stripe", FIRST, {})
        writer.temporary_path("p").write_bytes(b"x")
        writer.commit_part("p", "pages", rows=1)
        if is_abandoned:
            writer.abandon("too old")
        store.begin("billing", "refunds", "stripe", FIRST, {}).finalise({})
    assert take_away(billing, 30) == [1, 2, 4]
    assert [each.arrival for each in read_landings(billing.home)] == [1, 2, 3, 5]
    assert not list(billing.home.glob("landing/*/*/0000000004*"))


def test_the_newest_arrival_is_never_taken_so_that_numbers_only_grow(billing) -> None:
    with LandingStore(billing.home) as store:
        store.begin("billing", "refunds", "stripe", FIRST, {}).abandon("too old")
    assert take_away(billing, 30) == [1, 2]
    with LandingStore(billing.home) as store:
        assert store.begin("billing", "refunds", "stripe", LATER, {}).landing.arrival == 5


def test_a_killed_pull_that_can_be_continued_is_left_alone(billing) -> None:
    with LandingStore(billing.home) as store:
        for _ in range(2):
            store.begin("billing", "customers", "stripe", LATER, {})
    assert take_away(billing, 1, now=LATER + timedelta(hours=30)) == [1, 2]
    assert take_away(billing, 1, now=LATER + timedelta(hours=40)) == [4]


def test_only_named_sources_are_pruned(billing) -> None:
    assert take_away(billing, 30, sources=["drop"]) == []


def test_received_files_go_and_the_same_file_is_still_known(night) -> None:
    header = "partner_id,name,email\n"
    for number in (1, 2):
        night.write(f"partners-{number}.csv", f"{header}p{number},Ann,a@b.example\n")
        night.run(now=FIRST)
    assert take_away(night, 30) == [1]
    assert files(night, 1) == ["manifest.jsonl", "rows.parquet"]
    assert night.stream("partners", now=LATER).files_unchanged == 2
    assert night.rows("select count(*) from raw.files__partners") == [(2,)]


def test_rows_that_a_reread_replaced_go_with_the_evidence(billing, monkeypatch) -> None:
    import ingest.objects

    real = ingest.objects.write_objects

    def renumbered(writer, records, earlier, is_full):
        from dataclasses import replace

        return real(writer, [replace(each, parent="name") for each in records], earlier, is_full)

    monkeypatch.setattr("ingest.reread.write_objects", renumbered)
    with LandingStore(billing.home) as store:
        reread(billing.workspace, store, now=LATER)
    rows = billing.rows(ROWS)
    assert verify_landings(billing.home).parts == 9
    assert take_away(billing, 30) == [1, 2]
    assert files(billing, 1) == ["customers-00001.parquet", "manifest.jsonl", "reread-00001"]
    assert take_away(billing, 30, now=LATER + timedelta(days=31)) == [1, 2]
    assert files(billing, 1) == ["manifest.jsonl", "reread-00001"]
    assert billing.rows(ROWS) == rows
    assert verify_landings(billing.home).damages == ()


def test_opening_ends_what_a_killed_pruning_began(billing) -> None:
    (landing, *_) = read_landings(billing.home)
    page = landing.directory / landing.evidence[0].name
    content = page.read_bytes()
    take_away(billing, 30)
    page.write_bytes(content)
    with LandingStore(billing.home):
        assert not page.exists()


def test_full_disk_while_pruning_takes_nothing_away_that_is_not_recorded(
    billing, monkeypatch
) -> None:
    import os

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched, pytest.raises(OSError, match="No space"):
        patched.setattr(os, "fsync", full)
        take_away(billing, 30)
    found = verify_landings(billing.home)
    assert (found.damages, found.pruned) == ((), 0)
    assert take_away(billing, 30) == [1, 2]


@pytest.mark.parametrize("what", ["changed", "same size", "missing"])
def test_verify_names_each_file_that_is_not_what_was_landed(billing, what: str) -> None:
    (page, *_) = sorted(billing.home.glob("landing/*/*/*/pages-*"))
    content = page.read_bytes()
    if what == "missing":
        page.unlink()
    else:
        page.write_bytes(content[:-1] + b"?" if what == "same size" else b"")
    (damage,) = verify_landings(billing.home).damages
    assert damage.path == "billing/customers/0000000001/pages-00001.ndjson.zst"
    assert ("is missing" if what == "missing" else "SHA-256") in damage.fault


def test_verify_names_a_damaged_and_a_lost_manifest_and_goes_on(billing) -> None:
    first, second, _ = billing.manifests()
    first.write_bytes(b"garbage\n")
    second.unlink()
    found = verify_landings(billing.home)
    assert [(each.path[-10:], each.fault) for each in found.damages] == [
        ("0000000001", "line 1 is not a manifest record"),
        ("0000000002", "holds parts and has no manifest.jsonl"),
    ]
    assert found.landings == 1


def test_verify_of_an_empty_home_finds_nothing(tmp_path) -> None:
    assert verify_landings(tmp_path).landings == 0
