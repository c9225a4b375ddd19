"""The portal's pure parts: masks, the next payout, explanations, rules as HTML."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal

import pytest

from dashboards.errors import BadInputError
from dashboards.markdown import to_html
from dashboards.portal.explained import sentences
from dashboards.portal.masking import customer, masked_addresses, masked_domain
from dashboards.portal.next_payout import next_payouts
from dashboards.portal.outlook import outlook
from dashboards.portal.submitting import expected_amount
from dashboards.portal.words import lead_reason, unpaid_reason

APRIL, MAY = date(2026, 4, 15), date(2026, 5, 15)


@pytest.mark.parametrize(
    ("domain", "shown"),
    [("bluefinch.example", "b***.example"), ("shop.bluefinch.co.uk", "s***.uk"), ("local", "l***")],
)
def test_domain_keeps_its_first_letter_and_its_ending(domain, shown):
    assert masked_domain(domain) == shown


def test_customer_is_the_company_else_the_person_masked():
    row = {"company_domain": "globex.example", "email_masked": "k***@globex.example"}
    assert customer(row) == "g***.example"
    assert customer({"company_domain": None, "email_masked": "k***@mail.example"}) == (
        "k***@mail.example"
    )
    assert customer({"company_domain": None, "email_masked": None}) == "A customer"


def test_address_in_an_id_is_masked():
    assert masked_addresses("cus_kim@globex.example") == "c***@g***.example"
    assert masked_addresses("in_42") == "in_42"


def expected(amount, day=APRIL):
    return {"payout_currency_code": "EUR", "pay_date": day, "amount_minor": amount}


@pytest.mark.parametrize(
    ("rows", "amount", "day", "state"),
    [
        ([expected(5_000)], 5_000, APRIL, "expected"),
        ([expected(4_999)], 4_999, APRIL, "below_minimum"),
        # What is too little is carried until it is enough (P2).
        ([expected(4_999), expected(1, MAY)], 5_000, MAY, "expected"),
        # What is owed by the partner is netted first (P3).
        ([expected(-3_000), expected(9_000, MAY)], 6_000, MAY, "expected"),
        ([expected(-3_000)], -3_000, None, "nothing"),
        ([], 0, None, "nothing"),
    ],
)
def test_next_payout_is_the_first_that_reaches_the_minimum(rows, amount, day, state):
    (found,) = next_payouts([], rows, {"EUR": 5_000}, ["EUR"], APRIL)
    assert (found.amount_minor, found.pay_date, found.state) == (amount, day, state)


def batch_row(state, left_out_reason=None, day=APRIL, payout_id="1"):
    return {
        "payout_id": payout_id, "currency_code": "EUR", "amount_minor": 7_000, "state": state,
        "left_out_reason": left_out_reason, "pay_date": day, "expected_pay_date": day,
        "batch_state": "proposed",
    }  # fmt: skip


def test_next_payout_is_that_of_the_batch_unless_it_is_over_or_left_out():
    for state, left_out, shown in (
        ("proposed", None, "proposed"),
        ("exported", None, "exported"),
        ("settled", None, "expected"),
        ("left_out", "tax_form", "expected"),
    ):
        (found,) = next_payouts(
            [batch_row(state, left_out)], [expected(9_000, MAY)], {"EUR": 5_000}, ["EUR"], APRIL
        )
        assert found.state == shown


def test_payout_that_left_is_not_the_next_one():
    rows = [batch_row("exported"), batch_row("proposed", None, MAY, "2")]
    (found,) = next_payouts(rows, [], {}, ["EUR"], date(2026, 4, 20))
    assert (found.state, found.payout_id) == ("proposed", "2")


def test_outlook_leaves_out_what_is_behind_the_lead():
    terms = [
        {"kind": "event", "trigger_stage": "demo_held", "rate": None, "is_tiered": False,
         "amounts_minor": "EUR 4500, JPY 7500", "duration_months": None, "is_for_life": False,
         "payout_currency_code": "EUR"},
        {"kind": "recurring", "trigger_stage": None, "rate": Decimal("0.125000"),
         "is_tiered": False, "amounts_minor": None, "duration_months": 12, "is_for_life": False,
         "payout_currency_code": "EUR"},
    ]  # fmt: skip
    assert outlook(terms, []) == [
        "45.00\u202fEUR when a demo is held.",
        "12.5\u202f% of what they pay for the first 12 months.",
    ]
    assert outlook(terms, ["demo_held"])[0].startswith("12.5")
    # No amount in the partner's currency: nothing is promised.
    assert len(outlook([{**terms[0], "payout_currency_code": "USD"}], [])) == 0


def test_currencies_are_never_added_up():
    rows = [expected(6_000), {**expected(7_000), "payout_currency_code": "USD"}]
    found = next_payouts([], rows, {}, ["EUR"], APRIL)
    assert [(each.currency_code, each.amount_minor) for each in found] == [
        ("EUR", 6_000), ("USD", 7_000),
    ]  # fmt: skip


def told(explanation, code="EUR", payout_code="EUR"):
    return " ".join(sentences(json.dumps(explanation), "p_4", code, payout_code))


def test_explanation_tells_the_own_share_and_no_other():
    text = told(
        {"shape": "line", "line_base_amount_minor": 10_000, "rate": "0.200000",
         "desired_amount_minor": 600,
         "credits": [{"partner_id": "p_4", "credit_ppm": 300_000},
                     {"partner_id": "p_9", "credit_ppm": 700_000}]}
    )  # fmt: skip
    assert "this lead: 30\u202f%" in text and "70" not in text and "p_9" not in text


def test_explanation_of_a_share_hides_what_the_other_partner_earned():
    text = told(
        {"shape": "referral", "referred_partner_id": "p_9", "referred_amount_minor": 123_400,
         "rate": "0.100000", "desired_amount_minor": 12_340}
    )  # fmt: skip
    assert "p_9" not in text and "1\u202f234" not in text and "123.40" in text


def test_explanation_of_a_cap_says_what_was_cut_and_not_what_is_left():
    text = told(
        {"shape": "line", "rate": "0.200000",
         "cap": {"by": "per_programme_month", "cut_amount_minor": 500, "left_amount_minor": 77_700}}
    )  # fmt: skip
    assert "cut 5.00" in text and "777" not in text


@pytest.mark.parametrize("text", [None, "", "{", "[]", '{"shape": "of a newer release"}'])
def test_explanation_that_cannot_be_read_says_nothing(text):
    assert sentences(text, "p_4", "EUR", "EUR") == []


def test_reason_of_a_hold_is_never_what_people_wrote():
    line = {"unpaid_code": "partner_hold", "available_date": APRIL}
    assert unpaid_reason(line) == "The programme has stopped payouts on your account for now."
    assert unpaid_reason({**line, "unpaid_code": "something new"}) == "It waits for the programme."
    assert "2026-04-15" in unpaid_reason({**line, "unpaid_code": "hold_window"})


def test_lead_reason_names_no_rival():
    for rule in ("A3:not_last_touch", "A2:lower_type_than_form_field", "L4:x", None, "Z9:new"):
        assert "partner" not in lead_reason("not_credited", rule, True)


@pytest.mark.parametrize(
    ("amount", "code", "found"),
    [("1200.50", "EUR", (120_050, "EUR")), ("7", "jpy", (7, "JPY")), ("", "EUR", (None, None)),
     ("", "", (None, None))],
)  # fmt: skip
def test_expected_amount(amount, code, found):
    assert expected_amount(amount, code) == found


@pytest.mark.parametrize("amount", ["1,5", "Infinity", "--1", "1e3", "9" * 14, "٣"])
def test_expected_amount_that_is_none_is_refused(amount):
    with pytest.raises(BadInputError):
        expected_amount(amount, "EUR")


def test_rules_become_html_without_any_markup_of_their_own():
    html = to_html("# How <b>x</b> earns\n\n[a](javascript:alert(1)) ![p](https://x.example/p.png)")
    assert "<h1>How &lt;b&gt;x&lt;/b&gt; earns</h1>" in html
    assert "<a" not in html and "<img" not in html
