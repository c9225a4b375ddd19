"""Reading a source again from its beginning, and looking first at what would be asked."""

from datetime import datetime, timedelta
from types import SimpleNamespace

import pytest

from ingest.landing import LandingStore, read_landings
from ingest.preview import preview
from tests.fakes.stripe_server import DAY, Fault, status

CUSTOMERS = "/v1/customers"
START = datetime(2026, 3, 1, 2, 0)


@pytest.fixture
def pulled(account):
    """An account of three customers, pulled on two days, one changed in between."""
    for number in range(3):
        account.fake.put({"id": f"cus_{number}", "object": "customer", "name": "old"})
    account.pull(0)
    account.at(0.5)
    account.fake.put(
        {"id": "cus_1", "object": "customer", "name": "new"}, event_type="customer.updated"
    )
    account.pull(1)
    return account


def test_a_backfill_lists_everything_and_lands_nothing_twice(pulled) -> None:
    report = pulled.pull(2, force_full=["events", "customers", "invoices"])["customers"]
    assert (report.mode, report.rows_landed, report.status) == ("full", 0, "unchanged")
    assert "asked to read everything again" in report.message
    assert pulled.asked(CUSTOMERS)
    assert pulled.night.rows("select count(*) from raw.stripe__customers") == [(4,)]


def test_without_it_nothing_is_listed(pulled) -> None:
    assert pulled.pull(2)["customers"].mode == "changes"
    assert pulled.asked(CUSTOMERS) == []


def test_a_backfill_finds_what_the_feed_never_told(pulled) -> None:
    pulled.fake.put({"id": "cus_2", "object": "customer", "name": "untold"})
    assert pulled.pull(2)["customers"].rows_landed == 0
    assert pulled.pull(3, force_full=["customers"])["customers"].rows_landed == 1


def test_the_night_after_a_backfill_asks_for_changes_again(pulled) -> None:
    pulled.pull(2, force_full=["events", "customers", "invoices"])
    assert pulled.pull(3)["customers"].mode == "changes"
    assert pulled.asked(CUSTOMERS) == []


def test_a_backfill_of_one_stream_leaves_the_others_alone(pulled) -> None:
    found = pulled.pull(2, streams=["events", "customers"], force_full=["customers"])
    assert {name: each.mode for name, each in found.items()} == {
        "events": "changes",
        "customers": "full",
    }
    assert pulled.pull(3)["invoices"].mode == "changes"


def test_a_far_shorter_list_is_refused_in_a_backfill_as_well(pulled) -> None:
    pulled.fake.objects[CUSTOMERS].clear()
    report = pulled.pull(2, force_full=["customers"])["customers"]
    assert (report.status, report.is_transient) == ("failed", False)
    assert "last time it had 3" in report.message


def test_a_killed_backfill_is_continued_as_one_and_not_by_a_smaller_pull(
    pulled, monkeypatch
) -> None:
    pulled.small_parts(monkeypatch)
    pulled.fake.page_cap = 1
    pulled.fake.script[CUSTOMERS] = [Fault()] * 26 + [status(500) for _ in range(9)]
    assert pulled.pull(2, force_full=["customers"])["customers"].status == "failed"
    report = pulled.pull(2.02)["customers"]
    assert (report.status, report.mode) == ("unchanged", "full")
    landings = [each for each in read_landings(pulled.night.home) if each.stream == "customers"]
    assert [each.is_final for each in landings] == [True, True, True]
    assert landings[-1].settings["force_full"] is True


def test_a_killed_smaller_pull_is_not_taken_for_a_backfill(pulled, monkeypatch) -> None:
    pulled.small_parts(monkeypatch)
    pulled.at(1.5)
    for number in range(3):
        changed = {"id": f"cus_{number}", "object": "customer", "name": "newer"}
        pulled.fake.put(changed, event_type="customer.updated")
    one = f"{CUSTOMERS}/cus_2"
    pulled.fake.script[one] = [status(500) for _ in range(9)]
    assert pulled.pull(2)["customers"].status == "failed"
    pulled.fake.script.clear()
    assert pulled.pull(2.1, force_full=["customers"])["customers"].mode == "full"
    states = [each.state for each in read_landings(pulled.night.home) if each.stream == "customers"]
    assert states == ["final", "final", "abandoned", "final"]


def look(night, day: float, **keywords):
    now = START + timedelta(days=day)
    found = preview(night.workspace, night.home, now=now, **keywords)
    return {each.stream: each for each in found}


def everything(night) -> dict:
    return {path: path.read_bytes() if path.is_file() else None for path in night.root.rglob("*")}


def test_looking_before_the_first_pull_asks_and_writes_nothing(account) -> None:
    before = everything(account.night)
    found = look(account.night, 0)
    assert (found["customers"].mode, found["customers"].pulled_at) == ("full", None)
    assert "first pull" in found["customers"].reason
    assert found["customers"].bounds["chains"]
    assert account.fake.log == []
    assert everything(account.night) == before
    assert not account.night.home.exists()


def test_looking_tells_bounds_cursor_and_age(pulled) -> None:
    before, asked = everything(pulled.night), len(pulled.fake.log)
    found = look(pulled.night, 1.5)["events"]
    assert (found.kind, found.mode, found.age_hours) == ("stripe", "changes", 12.0)
    assert DAY / 2 - 60 < found.bounds["lte"] - found.cursor["upper"] <= DAY / 2
    assert timedelta() <= found.pulled_at - START - timedelta(days=1) < timedelta(minutes=1)
    assert everything(pulled.night) == before
    assert len(pulled.fake.log) == asked


def test_looking_at_a_backfill_says_so(pulled) -> None:
    found = look(pulled.night, 2, force_full=["customers"])
    assert (found["customers"].mode, found["invoices"].mode) == ("full", "changes")
    assert found["customers"].reason == "asked to read everything again"


def test_looking_names_the_killed_pull_that_would_go_on(pulled) -> None:
    with LandingStore(pulled.night.home) as store:
        last = store.of_stream("billing", "customers")[-1]
        writer = store.begin(
            "billing", "customers", "stripe", START + timedelta(days=2), last.settings
        )
    assert look(pulled.night, 2.1)["customers"].continues == writer.landing.arrival
    assert look(pulled.night, 9)["customers"].continues is None


def test_only_the_named_streams_are_looked_at(pulled) -> None:
    assert list(look(pulled.night, 2, streams=["customers"])) == ["customers"]


HEADER = "partner_id,name,email\n"


def test_looking_at_a_drop_folder_tells_new_and_unchanged_files(night) -> None:
    night.write("partners-1.csv", f"{HEADER}p1,Ann,a@b.example\n")
    night.run(now=START)
    night.write("partners-2.csv", f"{HEADER}p2,Ben,b@b.example\n")
    night.write("partners-3.csv", f"{HEADER}p2,Ben,b@b.example\n")
    night.write("arriving.csv.part", "x")
    night.write("parters.csv", HEADER)
    before = everything(night)
    found = look(night, 1)
    assert [(each.name, each.size_bytes, each.state) for each in found["partners"].files] == [
        ("partners-1.csv", 41, "unchanged"),
        ("partners-2.csv", 41, "new"),
        ("partners-3.csv", 41, "unchanged"),
    ]
    assert found["partners"].reason == "1 new, 2 unchanged"
    assert found["partners"].age_hours == 24
    assert "did you mean partners?" in found["parters.csv"].problem
    assert everything(night) == before


def test_a_missing_drop_folder_is_told(night) -> None:
    night.sources = {"drop": SimpleNamespace(kind="files", path="nowhere")}
    assert "nowhere" in look(night, 0)["*"].problem
