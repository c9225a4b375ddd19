"""Full lists of Stripe: windows of a month, resuming inside one, and what each list leaves out."""

from datetime import UTC, datetime

import pytest

from ingest.stripe_lists import MONTHS, month_chains
from program.schema_sources import STRIPE_STREAMS
from tests.fakes.stripe_server import PATHS, Fault, status

CUSTOMERS = "/v1/customers"


def created(year: int, month: int, day: int = 1) -> int:
    return int(datetime(year, month, day, tzinfo=UTC).timestamp())


def customers_by_month(account) -> None:
    """Three customers of each month from January 2023 to March 2026, newest first."""
    for month in range(2023 * 12, 2026 * 12 + 3):
        for day in (1, 2, 3):
            account.fake.put(
                {
                    "id": f"cus_{month // 12}_{month % 12 + 1:02d}_{day}",
                    "object": "customer",
                    "created": created(month // 12, month % 12 + 1, day),
                }
            )


def test_windows_are_calendar_months_open_at_both_ends() -> None:
    chains = month_chains(datetime(2026, 3, 31, 23, 59), [{}])
    assert len(chains) == MONTHS + 1
    assert chains[0] == {"created[lte]": str(created(2024, 4) - 1)}
    assert chains[1] == {
        "created[gte]": str(created(2024, 4)),
        "created[lte]": str(created(2024, 5) - 1),
    }
    assert chains[-1] == {"created[gte]": str(created(2026, 3))}
    for before, after in zip(chains, chains[1:], strict=False):
        assert int(before["created[lte]"]) + 1 == int(after["created[gte]"])


def test_each_window_is_its_own_chain_and_nothing_is_lost_or_repeated(account) -> None:
    customers_by_month(account)
    account.fake.page_cap = 2
    report = account.pull(0)["customers"]
    assert (report.mode, report.rows_landed) == ("full", 39 * 3)
    assert account.night.rows(
        "select count(*), count(distinct object_id) from raw.stripe__customers"
    ) == [(117, 117)]
    asked = account.asked(CUSTOMERS)
    assert len({(each.get("created[gte]"), each.get("created[lte]")) for each in asked}) == 25
    assert [each["starting_after"] for each in asked[-1:]] == ["cus_2026_03_2"]


def test_killed_backfill_goes_on_inside_its_window_with_the_same_bounds(
    account, monkeypatch
) -> None:
    customers_by_month(account)
    account.small_parts(monkeypatch)
    account.fake.page_cap = 2
    # The 41st page is the second one of its window.
    account.fake.script[CUSTOMERS] = [Fault() for _ in range(40)] + [status(500)] * 5
    assert account.pull(0)["customers"].is_transient
    last = account.asked(CUSTOMERS)[-1]
    report = account.pull(0.2)["customers"]
    assert report.rows_landed == 117
    first = account.asked(CUSTOMERS)[0]
    assert first == last
    assert first["starting_after"].startswith("cus_")
    assert account.night.rows(
        "select count(*), count(distinct object_id), count(distinct _row)"
        " from raw.stripe__customers"
    ) == [(117, 117, 117)]


def test_windows_stay_those_of_the_beginning_when_a_month_ends_before_the_resume(
    account, monkeypatch
) -> None:
    customers_by_month(account)
    account.small_parts(monkeypatch)
    account.fake.script[CUSTOMERS] = [Fault() for _ in range(9)] + [status(500)] * 5
    account.pull(30.9)
    assert account.pull(31.05)["customers"].rows_landed == 117
    assert account.asked(CUSTOMERS)[-1]["created[gte]"] == str(created(2026, 3))


def test_newest_window_has_what_a_clock_behind_would_hide(account) -> None:
    account.fake.put({"id": "cus_late", "object": "customer", "created": account.fake.clock + 999})
    assert account.pull(0)["customers"].rows_landed == 1


def test_rows_that_repeat_at_the_edge_of_a_page_are_no_loop(account) -> None:
    customers_by_month(account)
    account.fake.page_cap = 2
    account.fake.repeat_rows = {CUSTOMERS}
    account.settings(created_windows=False)
    assert account.pull(0)["customers"].status == "ok"
    assert account.night.rows("select count(distinct object_id) from raw.stripe__customers") == [
        (117,)
    ]


def test_server_that_does_not_filter_is_named_instead_of_read_25_times(account) -> None:
    customers_by_month(account)
    account.fake.ignore_created = {CUSTOMERS}
    report = account.pull(0)["customers"]
    assert (report.status, report.is_transient) == ("failed", False)
    assert "ignores the filter by created" in report.message
    assert "created_windows: false" in report.what_to_do
    assert len(account.asked(CUSTOMERS)) < 5
    account.settings(created_windows=False)
    assert account.pull(0.1)["customers"].rows_landed == 117


def test_without_windows_one_chain_reads_all(account) -> None:
    customers_by_month(account)
    account.settings(created_windows=False)
    account.pull(0)
    assert account.asked(CUSTOMERS) == [
        {"limit": "100"},
        {"limit": "100", "starting_after": "cus_2023_06_3"},
    ]


def test_invoice_payments_have_no_windows_before_the_version_that_filters_them(account) -> None:
    streams = ("events", "invoice_payments")
    account.settings(streams=streams, api_version="2025-10-29.clover")
    account.pull(0)
    assert account.asked("/v1/invoice_payments") == [{"limit": "100"}]
    account.settings(streams=streams, api_version="2025-11-17.clover", full_scan_days=1)
    account.pull(1)
    assert len(account.asked("/v1/invoice_payments")) == MONTHS + 1


def test_inactive_prices_canceled_subscriptions_and_archived_products_land(account) -> None:
    account.fake.put({"id": "price_on", "object": "price", "active": True})
    account.fake.put({"id": "price_off", "object": "price", "active": False})
    account.fake.put({"id": "prod_off", "object": "product", "active": False})
    account.fake.put({"id": "sub_off", "object": "subscription", "status": "canceled"})
    account.settings(streams=("events", "prices", "products", "subscriptions"))
    landed = {name: each.rows_landed for name, each in account.pull(0).items()}
    assert landed == {"events": 0, "prices": 2, "products": 1, "subscriptions": 1}


def test_every_stream_lands_its_list(account) -> None:
    account.settings(streams=STRIPE_STREAMS)
    names = {path.rsplit("/", 1)[1] for path in PATHS.values()} - {"subscription_items"}
    for kind, path in PATHS.items():
        if kind != "subscription_item":
            account.fake.put({"id": f"{kind}_1", "object": kind}, f"{kind}.created")
            account.fake.objects[path][0]["active"] = True
    reports = account.pull(0)
    assert {name: each.rows_landed for name, each in reports.items()} == dict.fromkeys(
        [*names, "events"], 1
    )
    for name in [*names, "events"]:
        assert account.night.rows(f"select count(*) from raw.stripe__{name}") == [(1,)]


def test_items_beyond_the_embedded_ones_are_paged(account) -> None:
    for number in range(12):
        account.fake.put(
            {"id": f"si_{number:02d}", "object": "subscription_item", "subscription": "sub_large"}
        )
    account.fake.put({"id": "si_of_other", "object": "subscription_item", "subscription": "sub_x"})
    items = account.fake.objects["/v1/subscription_items"]
    embedded = {"object": "list", "data": items[1:11], "has_more": True}
    small = {"object": "list", "data": items[:1], "has_more": False}
    account.fake.put({"id": "sub_large", "object": "subscription", "items": embedded})
    account.fake.put({"id": "sub_x", "object": "subscription", "items": small})
    account.fake.page_cap = 5
    account.settings(streams=("events", "subscriptions"))
    account.pull(0)
    assert account.night.rows(
        "select parent_id, count(*), count(distinct object_id) from raw.stripe__subscription_items"
        " group by 1"
    ) == [("sub_large", 12, 12)]


@pytest.mark.parametrize(
    ("kind", "becomes_tombstone"),
    [
        ("customer", True),
        ("product", True),
        ("coupon", True),
        ("promotion_code", True),
        ("subscription", True),
        ("price", False),
        ("invoice", False),
        ("charge", False),
        ("refund", False),
        ("dispute", False),
        ("credit_note", False),
        ("invoice_payment", False),
        ("balance_transaction", False),
    ],
)
def test_only_what_stripe_deletes_vanishes_from_a_full_list(
    account, kind: str, becomes_tombstone: bool
) -> None:
    stream = PATHS[kind].rsplit("/", 1)[1]
    account.settings(streams=(stream,), changes="full_list")
    for number in range(9):
        account.fake.put({"id": f"{kind}_{number}", "object": kind, "active": True})
    account.pull(0)
    account.fake.delete({"id": f"{kind}_4", "object": kind})
    assert account.pull(1)[stream].mode == "full"
    found = account.night.rows(f"select object_id from raw.stripe__{stream} where is_tombstone")
    assert found == ([(f"{kind}_4",)] if becomes_tombstone else [])
