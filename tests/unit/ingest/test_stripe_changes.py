"""Objects of Stripe after the first night: what events name is retrieved, and nothing else."""

import logging

import pytest

from ingest import stripe_api
from program.schema_sources import STRIPE_STREAMS
from tests.fakes.stripe_server import DAY, Fault, status

EVENTS = "/v1/events"


def put(account, kind: str, object_id: str, event_type: str = "", /, **fields) -> dict:
    return account.fake.put({"id": object_id, "object": kind, **fields}, event_type)


def ids(account, relation: str, condition: str = "true") -> list[str]:
    rows = account.night.rows(
        f"select object_id from raw.stripe__{relation} where {condition} order by _arrival, _row"
    )
    return [row[0] for row in rows]


def test_only_what_events_name_is_retrieved_with_the_pinned_version(account) -> None:
    put(account, "customer", "cus_still")
    put(account, "customer", "cus_moved", email="old@corp.example")
    account.pull(0)
    account.at(0.5)
    put(account, "customer", "cus_moved", "customer.updated", email="new@corp.example")
    put(account, "customer", "cus_new", "customer.created")
    reports = account.pull(1)
    assert account.paths() == ["/v1/customers/cus_moved", "/v1/customers/cus_new"]
    assert (reports["customers"].mode, reports["customers"].rows_landed) == ("changes", 2)
    assert {each["Stripe-Version"] for each in account.fake.request_headers} == {
        "2025-11-17.clover"
    }
    # What the event shows is in the shape of another version and never landed as the object.
    assert account.night.rows(
        "select payload ->> '$.email', payload ->> '$.shape_of' from raw.stripe__customers"
        " where object_id = 'cus_moved' order by _arrival"
    ) == [("old@corp.example", None), ("new@corp.example", None)]


def test_quiet_night_asks_for_the_feed_alone(account) -> None:
    account.settings(streams=tuple(each for each in STRIPE_STREAMS if each[:7] != "balance"))
    account.pull(0)
    reports = account.pull(1)
    assert account.paths() == []
    assert {each.status for each in reports.values()} == {"unchanged"}


def test_object_with_many_events_is_retrieved_once(account) -> None:
    account.pull(0)
    account.at(0.5)
    for number in range(5):
        put(account, "customer", "cus_1", "customer.updated", number=number)
    account.pull(1)
    assert account.paths() == ["/v1/customers/cus_1"]


def test_object_that_is_gone_becomes_a_tombstone_with_what_was_known(account) -> None:
    gone = put(account, "invoice", "in_draft", number="A-1")
    account.pull(0)
    account.at(0.5)
    account.fake.delete(gone, "invoice.deleted")
    account.fake.tell("invoice.created", {"id": "in_never_seen", "object": "invoice"})
    account.pull(1)
    assert account.night.rows(
        "select object_id, payload ->> '$.number', _arrival > 3 from raw.stripe__invoices"
        " where is_tombstone"
    ) == [("in_draft", "A-1", True)]
    assert ids(account, "invoices") == ["in_draft", "in_draft"]


def test_deleted_customer_lands_as_the_stub_that_stripe_gives(account) -> None:
    gone = put(account, "customer", "cus_1", email="amy@corp.example")
    account.pull(0)
    account.at(0.5)
    account.fake.delete(gone, "customer.deleted")
    account.pull(1)
    assert account.night.rows(
        "select payload ->> '$.deleted', is_tombstone from raw.stripe__customers order by _arrival"
    ) == [(None, False), ("true", False)]


@pytest.mark.parametrize("body", [b"<html>not here</html>", b'{"error": {"code": "no_route"}}'])
def test_404_that_is_not_about_the_object_makes_no_tombstone(account, body: bytes) -> None:
    put(account, "customer", "cus_1")
    account.pull(0)
    account.at(0.5)
    put(account, "customer", "cus_1", "customer.updated")
    account.fake.script["/v1/customers/cus_1"] = [Fault(status=404, body=body)]
    report = account.pull(1)["customers"]
    assert (report.status, report.is_transient) == ("failed", False)
    assert ids(account, "customers", "is_tombstone") == []
    assert account.pull(1.1)["customers"].rows_landed == 1
    assert account.paths() == ["/v1/customers/cus_1"]


def test_answer_that_is_another_object_is_refused(account) -> None:
    account.pull(0)
    account.at(0.5)
    put(account, "customer", "cus_1", "customer.updated")
    account.fake.script["/v1/customers/cus_1"] = [Fault(body=b'{"id": "cus_2"}')] * 3
    assert "not the object" in account.pull(1)["customers"].message


def test_ids_that_users_choose_stay_one_part_of_the_address(account) -> None:
    account.settings(streams=("events", "coupons"))
    account.pull(0)
    account.at(0.5)
    for name in ("50% off/now?", "SPRING", "..", "."):
        put(account, "coupon", name, "coupon.created")
    assert account.pull(1)["coupons"].rows_landed == 2
    assert account.paths() == ["/v1/coupons/50%25%20off%2Fnow%3F", "/v1/coupons/SPRING"]


def test_previews_of_invoices_to_come_are_not_asked_for(account) -> None:
    account.pull(0)
    account.at(0.5)
    account.fake.tell("invoice.upcoming", {"object": "invoice", "customer": "cus_1"})
    account.fake.tell("invoice.upcoming", {"id": "upcoming_in_1", "object": "invoice"})
    account.pull(1)
    assert account.paths() == []


def test_payments_of_changed_invoices_are_listed_by_invoice(account) -> None:
    account.settings(streams=("events", "invoices", "invoice_payments"))
    account.pull(0)
    account.at(0.5)
    put(account, "invoice", "in_1", "invoice.updated")
    put(account, "invoice_payment", "inpay_1", "invoice_payment.paid", invoice="in_1")
    # Of a canceled payment there is no event.
    put(account, "invoice_payment", "inpay_2", invoice="in_1", status="canceled")
    put(account, "invoice_payment", "inpay_of_other", invoice="in_2")
    put(account, "invoice_payment", "inpay_alone", "invoice_payment.paid")
    account.pull(1)
    assert account.asked("/v1/invoice_payments") == [{"invoice": "in_1", "limit": "100"}, {}]
    assert ids(account, "invoice_payments") == ["inpay_2", "inpay_1", "inpay_alone"]


def test_payment_names_the_invoice_whose_amounts_it_changed(account) -> None:
    put(account, "invoice", "in_1", amount_remaining=100)
    account.pull(0)
    account.at(0.5)
    put(account, "invoice", "in_1", amount_remaining=0)
    put(account, "invoice_payment", "inpay_1", "invoice_payment.paid", invoice="in_1")
    assert account.pull(1)["invoices"].rows_landed == 1


def test_payments_of_an_invoice_that_is_gone_are_none(account) -> None:
    account.settings(streams=("events", "invoice_payments"))
    account.pull(0)
    account.at(0.5)
    account.fake.tell("invoice.deleted", {"id": "in_gone", "object": "invoice"})
    missing = b'{"error": {"type": "invalid_request_error", "code": "resource_missing"}}'
    account.fake.script["/v1/invoice_payments"] = [Fault(status=400, body=missing)]
    assert account.pull(1)["invoice_payments"].status == "unchanged"


def test_refusal_of_a_parameter_is_never_taken_for_an_empty_list(account) -> None:
    account.settings(streams=("events", "invoice_payments"))
    account.pull(0)
    account.at(0.5)
    put(account, "invoice", "in_1", "invoice.updated")
    unknown = b'{"error": {"type": "invalid_request_error", "code": "parameter_unknown"}}'
    account.fake.script["/v1/invoice_payments"] = [Fault(status=400, body=unknown)]
    report = account.pull(1)["invoice_payments"]
    assert (report.status, report.is_transient) == ("failed", False)
    assert "parameter_unknown" in report.message


def test_refunds_are_found_by_their_own_events_and_by_those_of_charges(account) -> None:
    account.settings(streams=("events", "charges", "refunds"))
    account.pull(0)
    account.at(0.5)
    charge = put(account, "charge", "ch_old")
    put(account, "refund", "re_old_1", charge="ch_old")
    put(account, "refund", "re_old_2", charge="ch_old")
    account.fake.tell("charge.refunded", charge)
    put(account, "charge", "ch_new")
    put(account, "refund", "re_new", "refund.created", charge="ch_new")
    put(account, "refund", "re_failed", "refund.failed", payment_intent="pi_1", charge=None)
    reports = account.pull(1)
    assert sorted(ids(account, "refunds")) == ["re_failed", "re_new", "re_old_1", "re_old_2"]
    assert account.paths() == [
        "/v1/charges/ch_new",
        "/v1/charges/ch_old",
        "/v1/refunds",
        "/v1/refunds/re_failed",
        "/v1/refunds/re_new",
    ]
    assert reports["charges"].rows_landed == 2


def test_discounts_name_the_customer_and_the_subscription_that_they_are_on(account) -> None:
    put(account, "customer", "cus_1")
    put(account, "subscription", "sub_1")
    account.settings(streams=("events", "customers", "subscriptions"))
    account.pull(0)
    account.at(0.5)
    discount = {"id": "di_1", "object": "discount", "customer": "cus_1", "subscription": "sub_1"}
    account.fake.tell("customer.discount.created", discount)
    account.pull(1)
    assert account.paths() == ["/v1/customers/cus_1", "/v1/subscriptions/sub_1"]


def test_discounts_land_whole_because_nothing_else_names_the_promotion_code(account) -> None:
    discount = {"id": "di_1", "object": "discount", "promotion_code": "promo_1"}
    put(account, "invoice", "in_1", discounts=[discount])
    account.pull(0)
    account.at(0.5)
    put(account, "invoice", "in_2", "invoice.created", discounts=[discount])
    account.pull(1)
    assert account.asked("/v1/invoices") == [{"expand[]": "discounts"}]
    assert account.night.rows(
        "select object_id, payload ->> '$.discounts[0].promotion_code' from raw.stripe__invoices"
        " order by 1"
    ) == [("in_1", "promo_1"), ("in_2", "promo_1")]


def test_old_versions_embed_their_discount_and_are_not_asked_to_expand(account) -> None:
    account.settings(api_version="2025-02-24.acacia")
    put(account, "invoice", "in_1", "invoice.created")
    account.pull(0)
    account.at(0.5)
    put(account, "invoice", "in_1", "invoice.updated")
    asked = account.asked("/v1/invoices")
    account.pull(1)
    assert not [each for each in asked + account.asked("/v1/invoices") if "expand[]" in each]


def test_all_lines_of_a_changed_long_invoice_land(account) -> None:
    account.pull(0)
    account.at(0.5)
    lines = [{"id": f"il_{number:02d}", "amount": number} for number in range(12)]
    put(account, "invoice", "in_1", "invoice.updated", lines={"data": lines[:10], "has_more": True})
    account.fake.objects["/v1/invoices/in_1/lines"] = lines
    account.pull(1)
    assert account.night.rows(
        "select parent_id, count(*) from raw.stripe__invoice_lines group by 1"
    ) == [("in_1", 12)]


def test_all_items_of_a_changed_large_subscription_land(account) -> None:
    account.settings(streams=("events", "subscriptions"))
    account.pull(0)
    account.at(0.5)
    for number in range(12):
        put(account, "subscription_item", f"si_{number:02d}", subscription="sub_1")
    items = {"data": account.fake.objects["/v1/subscription_items"][:10], "has_more": True}
    put(account, "subscription", "sub_1", "customer.subscription.updated", items=items)
    account.pull(1)
    assert account.asked("/v1/subscription_items") == [{"subscription": "sub_1", "limit": "100"}]
    assert len(ids(account, "subscription_items")) == 12


def test_change_while_the_first_list_is_read_comes_the_next_night(account) -> None:
    put(account, "customer", "cus_1", name="before")

    def change() -> None:
        put(account, "customer", "cus_1", "customer.updated", name="after")

    # The page with the customer is out when it changes; the feed was read before.
    account.settings(created_windows=False)
    account.fake.page_cap = 1
    put(account, "customer", "cus_2")
    account.fake.objects["/v1/customers"].reverse()
    account.fake.script["/v1/customers"] = [Fault(), Fault(before=change)]
    account.pull(0)
    account.pull(1)
    assert account.night.rows(
        "select payload ->> '$.name' from raw.stripe__customers where object_id = 'cus_1'"
        " order by _arrival"
    ) == [("before",), ("after",)]


def test_events_that_a_failed_stream_did_not_consume_are_consumed_later(account) -> None:
    account.pull(0)
    for day in (0.5, 1.5):
        account.at(day)
        put(account, "customer", f"cus_{day}", "customer.created")
        put(account, "invoice", f"in_{day}", "invoice.created")
        account.fake.script[f"/v1/customers/cus_{day}"] = [status(403)]
        account.fake.script["/v1/customers/cus_0.5"] = [status(403)]
        reports = account.pull(day + 0.5)
        assert reports["customers"].status == "failed"
        assert reports["invoices"].rows_landed == 1
    account.fake.script.clear()
    assert account.pull(3)["customers"].rows_landed == 2
    assert account.paths() == ["/v1/customers/cus_0.5", "/v1/customers/cus_1.5"]


def test_killed_retrieval_goes_on_after_the_last_one_that_landed(account, monkeypatch) -> None:
    account.pull(0)
    account.at(0.5)
    for number in range(6):
        put(account, "customer", f"cus_{number}", "customer.created")
    account.small_parts(monkeypatch, pages=2)
    account.fake.script["/v1/customers/cus_4"] = [status(500)] * 5
    assert account.pull(1)["customers"].is_transient
    account.at(1.01)
    put(account, "customer", "cus_0a", "customer.created")
    assert account.pull(1.02)["customers"].rows_landed == 6
    assert account.paths() == ["/v1/customers/cus_4", "/v1/customers/cus_5"]
    # What happened after the kill is not lost: it was not part of the plan.
    assert account.pull(2)["customers"].rows_landed == 1
    assert ids(account, "customers") == [f"cus_{number}" for number in range(6)] + ["cus_0a"]


def test_full_list_comes_again_after_so_many_days_and_says_so(account) -> None:
    put(account, "customer", "cus_1", name="a")
    account.pull(0)
    # A change that no event told.
    put(account, "customer", "cus_1", name="b")
    for day in range(15, 30, 14):
        assert account.pull(day)["customers"].mode == "changes"
    report = account.pull(30)["customers"]
    assert (report.mode, report.rows_landed) == ("full", 1)
    assert "the last full list is 30 days old" in report.message
    assert account.pull(31)["customers"].mode == "changes"


def test_no_full_list_comes_again_with_0_days(account) -> None:
    account.settings(full_scan_days=0)
    account.pull(0)
    for day in range(20, 101, 20):
        assert account.pull(day)["customers"].mode == "changes"


def test_full_list_each_night_needs_no_feed(account) -> None:
    put(account, "customer", "cus_1")
    account.settings(changes="full_list")
    account.fake.script[EVENTS] = [status(403)] * 2
    for day in (0, 1):
        reports = account.pull(day)
        assert reports["events"].status == "failed"
        assert reports["customers"].mode == "full"
        assert reports["customers"].status == ("ok" if day == 0 else "unchanged")


def test_turning_to_events_after_full_lists_lists_once_more(account) -> None:
    account.settings(changes="full_list", streams=("customers",))
    account.pull(0)
    account.settings(changes="events", streams=("events", "customers"))
    report = account.pull(1)["customers"]
    assert report.mode == "full"
    assert "did not follow the event feed" in report.message
    assert account.pull(2)["customers"].mode == "changes"


def test_stream_pulled_alone_before_the_feed_lists_again_when_it_follows_it(account) -> None:
    put(account, "customer", "cus_1")
    account.pull(0, streams=("customers",))
    assert account.pull(1)["customers"].mode == "full"
    assert account.pull(2)["customers"].mode == "changes"


def test_balance_transactions_are_asked_for_by_creation_with_three_days_overlap(account) -> None:
    account.settings(streams=("events", "balance_transactions"))
    account.at(-1)
    put(account, "balance_transaction", "txn_1", status="pending")
    assert account.pull(0)["balance_transactions"].mode == "full"
    start = account.fake.clock
    account.at(0.5)
    put(account, "balance_transaction", "txn_1", status="available", created=start - DAY)
    put(account, "balance_transaction", "txn_2", status="pending")
    report = account.pull(1)["balance_transactions"]
    assert (report.mode, report.rows_landed) == ("changes", 2)
    (asked,) = account.asked("/v1/balance_transactions")
    assert asked == {
        "created[gte]": str(start - 3 * DAY),
        "created[lte]": str(start + DAY),
        "limit": "100",
    }
    account.fake.script[EVENTS] = [status(403)]
    assert account.pull(2)["balance_transactions"].status == "unchanged"
    account.settings(created_windows=False)
    assert account.pull(3)["balance_transactions"].mode == "full"


@pytest.mark.parametrize(
    ("stream", "permission"),
    [
        ("events", "events"),
        ("promotion_codes", "promotion codes"),
        ("refunds", "charges and refunds"),
        ("invoice_payments", "invoices"),
        ("balance_transactions", "balance transactions"),
    ],
)
def test_restricted_key_is_told_which_permission_it_lacks(
    account, stream: str, permission: str
) -> None:
    account.settings(streams=STRIPE_STREAMS)
    account.fake.script[f"/v1/{stream}"] = [status(403)]
    report = account.pull(0)[stream]
    assert (report.status, report.is_transient) == ("failed", False)
    assert f"GET /v1/{stream}: status 403" in report.message
    assert (
        f"restricted key in TEST_STRIPE_KEY read permission for {permission}" in report.what_to_do
    )
    assert "sk_live" not in str(report)


def test_every_request_id_is_logged(account, caplog) -> None:
    caplog.set_level(logging.INFO)
    account.pull(0)
    for number in range(1, len(account.fake.log) + 1):
        assert f"request id req_{number}" in caplog.text


def test_20_requests_a_second_except_on_this_machine(account, monkeypatch) -> None:
    account.pull(0)
    assert account.night.pauses == []
    monkeypatch.setattr(stripe_api, "is_loopback", lambda host: False)
    account.settings(full_scan_days=1)
    account.pull(1)
    assert len(account.night.pauses) > 25
    assert 0 < max(account.night.pauses) <= 0.05
