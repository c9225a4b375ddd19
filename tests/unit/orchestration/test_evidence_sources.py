"""Source records found back in the landing: file and line, page and place, hash of the bytes."""

import hashlib
import json
from datetime import date, datetime, timedelta
from types import SimpleNamespace

import pytest
import zstandard
from known_world import OTHER, PARTNER, Ledger, entry

from ingest.run import ingest
from orchestration.cli_common import CommandError
from orchestration.evidence_home import require_intact
from orchestration.evidence_sources import Wanted, landed_records, wanted_by_touch
from orchestration.known_disputes import disputed_commissions, open_invoices
from orchestration.known_partner import partner_entries
from payouts import ids
from payouts.journal import post_differences
from payouts.store import open_store
from tests.fakes.stripe_server import PATHS, FakeStripe
from tests.unit.payouts.payout_world import World

NOW = datetime(2026, 3, 1, 2, 0)
INVOICES = "invoice_id,customer_id,status,currency_code,issued_at,total_minor\n"
PAYMENTS = "payment_id,invoice_id,amount_minor,paid_at\n"
CUSTOMERS = "customer_id,created_at,email\n"
DISPUTES = "dispute_id,invoice_id,amount_minor,opened_at,status,closed_at\n"


@pytest.fixture
def site(tmp_path, monkeypatch):
    """A home with a drop folder and a billing account."""
    monkeypatch.setenv("TEST_STRIPE_KEY", "rk_test_1")
    (tmp_path / "drop").mkdir()
    with FakeStripe(objects={path: [] for path in PATHS.values()}, page_cap=2) as fake:
        sources = {
            "drop": SimpleNamespace(kind="files", path="drop"),
            "billing": SimpleNamespace(
                kind="stripe", base_url=fake.base_url, api_key_env="TEST_STRIPE_KEY",
                api_version="2025-02-24.acacia", timeout_seconds=5, overlap_hours=1,
                streams=("invoices", "charges", "disputes", "refunds"), changes="full_list",
                created_windows=False, full_scan_days=30, webhooks=None,
            ),
        }  # fmt: skip
        workspace = SimpleNamespace(root=tmp_path, sources=sources)
        home = tmp_path / "home"

        def land(now=NOW, **files):
            for name, text in files.items():
                (tmp_path / "drop" / f"{name}.csv").write_text(text, encoding="utf-8")
            report = ingest(workspace, home, now=now, pause=lambda _: None)
            assert not [each for each in report.streams if each.status == "failed"], report

        yield SimpleNamespace(root=tmp_path, home=home, fake=fake, land=land)


def found(site, *wanted):
    return {
        (row["record_type"], row["record_id"], row["is_newest"]): row
        for row in landed_records(site.home, wanted)
    }


def test_a_row_of_a_file_is_found_with_its_line_and_the_hash_of_the_file(site):
    text = INVOICES + "i0,c0,paid,USD,2026-01-01,100\ni1,c1,paid,USD,2026-01-02,9900\n"
    site.land(invoices=text, payments=PAYMENTS + "y1,i1,5000,2026-01-03\ny2,i1,4900,2026-02-03\n")
    rows = found(site, Wanted("invoice", "i1", by_invoice=True))
    assert set(rows) == {
        ("invoice", "i1", True), ("payment", "y1", True), ("payment", "y2", True),
    }  # fmt: skip
    invoice = rows["invoice", "i1", True]
    assert invoice["landing_id"].startswith("drop/invoices/")
    assert (invoice["file"], invoice["line"], invoice["place"]) == ("invoices.csv", 3, None)
    assert invoice["sha256"] == hashlib.sha256(text.encode()).hexdigest()
    assert invoice["state"] == "as recorded"
    assert invoice["values"]["total_minor"] == "9900"
    assert rows["payment", "y2", True]["line"] == 3


def test_older_versions_are_shown_and_only_the_newest_counts(site):
    site.land(invoices=INVOICES + "i1,c1,open,USD,2026-01-02,9900\n")
    site.land(NOW + timedelta(days=1), invoices=INVOICES + "i1,c1,paid,USD,2026-01-02,9900\n")
    rows = landed_records(site.home, [Wanted("invoice", "i1")])
    assert [(row["values"]["status"], row["is_newest"]) for row in rows] == [
        ("open", False), ("paid", True),
    ]  # fmt: skip


def test_values_that_name_people_are_not_shown(site):
    site.land(customers=CUSTOMERS + "c1,2026-01-01,eve@buyer.example\n")
    (row,) = landed_records(site.home, [Wanted("customer", "c1")])
    assert row["values"] == {"customer_id": "c1", "created_at": "2026-01-01"}


def test_bytes_that_were_changed_are_told(site):
    site.land(invoices=INVOICES + "i1,c1,open,USD,2026-01-02,9900\n")
    (part,) = site.home.glob("landing/drop/invoices/*/received.csv.zst")
    part.chmod(0o644)
    part.write_bytes(zstandard.compress(b"other"))
    (row,) = landed_records(site.home, [Wanted("invoice", "i1")])
    assert row["state"] == "changed"
    part.unlink()
    (row,) = landed_records(site.home, [Wanted("invoice", "i1")])
    assert row["state"] == "missing"


def test_an_object_of_an_api_is_found_in_its_page(site):
    """Two objects a page: the third invoice stands first in the second answer."""
    invoices = [
        {"id": f"in_{number}", "object": "invoice", "status": "paid", "total": 100 * number,
         "currency": "usd", "customer_email": "eve@buyer.example", "payment_intent": f"pi_{number}"}
        for number in range(1, 5)
    ]  # fmt: skip
    site.fake.objects["/v1/invoices"] = invoices
    site.fake.objects["/v1/charges"] = [
        {"id": "ch_3", "payment_intent": "pi_3", "amount": 300, "status": "succeeded"},
        {"id": "ch_4", "invoice": "in_4", "amount": 400, "status": "succeeded"},
    ]
    site.land()
    rows = found(site, Wanted("invoice", "in_3", by_invoice=True))
    assert set(rows) == {("invoice", "in_3", True), ("charge", "ch_3", True)}
    invoice = rows["invoice", "in_3", True]
    assert (invoice["line"], invoice["place"]) == (2, 1)
    assert invoice["values"] == {"status": "paid", "currency": "usd", "total": 300}
    part = site.home / "landing" / invoice["landing_id"] / invoice["part"]
    assert invoice["sha256"] == hashlib.sha256(part.read_bytes()).hexdigest()
    with part.open("rb") as opened:
        lines = zstandard.ZstdDecompressor().stream_reader(opened).read().splitlines()
    body = json.loads(json.loads(lines[invoice["line"] - 1])["body"])
    assert body["data"][invoice["place"] - 1]["id"] == "in_3"
    assert ("charge", "ch_4", True) in found(site, Wanted("invoice", "in_4", by_invoice=True))


def test_only_the_named_source_is_looked_into(site):
    site.land(invoices=INVOICES + "in_1,c1,open,USD,2026-01-02,9900\n")
    site.fake.objects["/v1/invoices"] = [{"id": "in_1", "object": "invoice", "status": "paid"}]
    site.land(NOW + timedelta(days=1))
    both = landed_records(site.home, [Wanted("invoice", "in_1")])
    assert [row["source"] for row in both] == ["drop", "billing"]
    (only,) = landed_records(site.home, [Wanted("invoice", "in_1", "billing")])
    assert only["source"] == "billing"


@pytest.mark.parametrize(
    ("touch_id", "wanted"),
    [
        ("drop:touchpoints:t1", Wanted("touchpoint", "t1", "drop")),
        ("crm:contacts:https://x/y:1", Wanted("contact", "https://x/y:1", "crm")),
        ("control:rulings:rul_1", None),
        ("control:lead_registrations:reg_1", None),
        ("t1", Wanted("touchpoint", "t1")),
        ("click:2:3", Wanted("touchpoint", "click:2:3")),
        (None, None),
    ],
)
def test_a_touch_names_its_record(touch_id, wanted):
    assert wanted_by_touch(touch_id) == wanted


def test_nothing_wanted_and_nothing_landed_is_nothing_found(site):
    assert landed_records(site.home, [Wanted("invoice", "i1")]) == []
    site.land(invoices=INVOICES + "i1,c1,open,USD,2026-01-02,9900\n")
    assert landed_records(site.home, []) == []
    assert landed_records(site.home, [Wanted("ruling", "i1"), Wanted("payment", "y")]) == []


def night(site, as_of, at):
    """A night that posts nothing, at an instant."""
    world = World(site.home, open_store(site.home, synchronous="OFF"), None)
    import duckdb

    connection = duckdb.connect()
    connection.execute("create table nothing as select 1 where false")
    post_differences(
        world.store, site.home, connection, as_of=as_of, run_id=f"run-{as_of}-{at}",
        recorded_at=datetime(as_of.year, as_of.month, as_of.day) + timedelta(days=1),
        registered_at=at, relation="nothing",
    )  # fmt: skip
    world.store.close()


def disputed(site, asked):
    from orchestration.known import known_at

    store = open_store(site.home, synchronous="OFF")
    try:
        with store.read() as connection:
            known = known_at(connection, asked, "UTC")
            return open_invoices(connection, site.home, known, "UTC")
    finally:
        store.close()


def test_disputes_are_open_as_far_as_the_night_had_landed_them(site):
    first, second = datetime(2026, 2, 11, 3), datetime(2026, 2, 21, 3)
    site.home.mkdir()
    site.fake.objects["/v1/charges"] = [{"id": "ch_1", "invoice": "in_1", "amount": 1}]
    site.fake.objects["/v1/disputes"] = [
        {"id": "dp_1", "charge": "ch_1", "status": "needs_response", "amount": 1}
    ]
    late = "d1,i1,100,2026-02-01,open,\nd2,i2,100,2026-02-11T12:00:00Z,open,\n"
    site.land(first - timedelta(hours=1), disputes=DISPUTES + late)
    night(site, datetime(2026, 2, 10).date(), first)
    # d2 was opened a day after the night's day, and does not exist yet (M6).
    assert disputed(site, "2026-02-10") == {"i1", "in_1"}

    site.fake.objects["/v1/disputes"][0]["status"] = "won"
    closed = "d1,i1,100,2026-02-01,won,2026-02-20\nd2,i2,100,2026-02-11T12:00:00Z,won,2026-02-21\n"
    site.land(second - timedelta(hours=1), disputes=DISPUTES + closed)
    night(site, datetime(2026, 2, 20).date(), second)
    # d2 was closed the day after, so it is still open.
    assert disputed(site, "2026-02-20") == {"i2"}
    assert disputed(site, "2026-02-10") == {"i1", "in_1"}
    assert disputed(site, "2026-02-09") == set()


def share_of(earned, amount_minor, **changes):
    """What the first partner earns on an earning of the second, as the night posts it."""
    row = entry("l1", amount_minor, earned["effective_date"], partner_id=PARTNER, **changes)
    row |= {
        "component_id": "referral", "source_type": "commission",
        "source_id": earned["commission_id"], "lead_id": None, "plan_id": "referrers",
    }  # fmt: skip
    key = ids.natural_key(*(row[each] for each in ids.KEY_COLUMNS))
    return row | {"commission_id": ids.commission_id(key), "entry_id": ids.entry_id(key, 1)}


def test_a_share_of_a_disputed_earning_is_held_by_the_policy_of_the_earning(site):
    """Decision 0041: the dispute is about the invoice of another partner's customer."""
    earned_on, night_of = date(2026, 1, 2), date(2026, 2, 10)
    ledger = Ledger.begun(site.home)
    site.land(datetime(2026, 2, 11, 2), disputes=DISPUTES + "d1,i1,100,2026-02-05,open,\n")
    disputed, sound = (
        entry(line, 3335, earned_on, partner_id=OTHER, explanation=json.dumps({"invoice_id": of}))
        for line, of in (("l1", "i1"), ("l2", "i2"))
    )
    share, other_share = share_of(disputed, 334), share_of(sound, 333)
    taken = share_of(
        disputed, -111, entry_kind="refund", cause_id="r1", reverses_entry_id=share["entry_id"]
    )
    ledger.night(night_of, datetime(2026, 2, 11, 3), disputed, sound, share, other_share, taken)
    known = ledger.known(f"{night_of}")
    with ledger.store.read() as connection:
        rows = partner_entries(connection, site.home, known, PARTNER, "UTC")
        found = {
            policy: disputed_commissions(
                connection, site.home, known, rows, {("standard", "2025-01-01"): policy}, "UTC"
            )
            for policy in ("hold", "none")
        }
    assert {row["entry_id"]: row["hold_reason"] for row in rows} == {
        share["entry_id"]: "dispute_open", taken["entry_id"]: "dispute_open",
        other_share["entry_id"]: None,
    }  # fmt: skip
    assert found == {"hold": {share["commission_id"], taken["commission_id"]}, "none": set()}
    ledger.store.close()


@pytest.mark.parametrize("state", ["changed", "missing"])
def test_damaged_evidence_is_refused_and_pruned_evidence_is_not(state):
    sound = {"sources": [{"landing_id": "drop/invoices/1", "state": "pruned"}], "segments": None}
    require_intact(sound)
    segment = {"path": "journal/segment-00000001.parquet", "state": state}
    with pytest.raises(CommandError, match=f"segment-00000001.parquet is {state}"):
        require_intact({**sound, "segments": [segment]})
