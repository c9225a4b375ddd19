"""Payment details: faults are told by field, and no value is ever shown (I24)."""

from __future__ import annotations

import dataclasses
import traceback

import pytest
from file_world import PAYEES, PAYERS, batch_of, payout_id

from payouts.details import (
    PAYEE_KINDS,
    PAYER_KINDS,
    Details,
    NachaDetails,
    NachaPayer,
    PaypalDetails,
    PaypalPayer,
    SepaDetails,
    SepaPayer,
    WiseDetails,
    WisePayer,
    details_from_json,
    details_of,
    payer_from_json,
    to_json,
)
from payouts.errors import DetailsInvalidError

ALL_PAYEES = [details for kinds in PAYEES.values() for details in kinds]
ALL_PAYERS = list(PAYERS.values())
SEPA, NACHA = PAYEES["sepa"][0], PAYEES["nacha"][0]
PAYPAL, WISE = PAYEES["paypal"][0], PAYEES["wise"][0]
CHOICES = {"recipient_type", "wallet"}


@pytest.mark.parametrize("details", ALL_PAYEES + ALL_PAYERS)
def test_good_details_have_no_problem_and_hide_themselves(details: Details) -> None:
    assert details.problems() == []
    for field in dataclasses.fields(details):
        value = getattr(details, field.name)
        if len(value) > 3:
            assert value not in repr(details)


def test_a_payment_and_a_batch_hide_the_details() -> None:
    for rail in PAYEES:
        shown = repr(batch_of(rail))
        assert payout_id(1) in shown
        for details in PAYEES[rail]:
            assert details.holder_name not in shown
            assert details.account() not in shown


@pytest.mark.parametrize("details", ALL_PAYEES)
def test_payees_survive_the_vault(details: Details) -> None:
    again = details_from_json(details.rail, to_json(details))
    assert again == details
    assert to_json(again) == to_json(details)


@pytest.mark.parametrize("details", ALL_PAYERS)
def test_payers_survive_the_vault(details: Details) -> None:
    assert payer_from_json(details.rail, to_json(details)) == details


def test_kinds_are_complete() -> None:
    assert set(PAYEE_KINDS) == set(PAYER_KINDS) == set(PAYEES)


@pytest.mark.parametrize(
    ("details", "account", "last_four"),
    [
        (SepaDetails("A", "de89 3704 0044 0532 0130 00"), "DE89370400440532013000", "3000"),
        (NachaDetails("A", "021000021", "12 34-5a", "checking", "business"),
         "021000021/1234-5A", "-5A"),
        (NachaDetails("A", "021000021", "12345678", "checking", "business"),
         "021000021/12345678", "5678"),
        (NachaDetails("A", "021000021", "7", "checking", "business"), "021000021/7", ""),
        (PaypalDetails("A", "Ana.Diaz@Example.com", "email", "PAYPAL"),
         "PAYPAL/ana.diaz@example.com", "diaz"),
        (PaypalDetails("A", "jo@example.com", "email", "PAYPAL"), "PAYPAL/jo@example.com", "o"),
        (PaypalDetails("A", "+15551234567", "phone", "VENMO"), "VENMO/+15551234567", "4567"),
        (WiseDetails("A", "148149706"), "148149706", "9706"),
        (PaypalPayer(), "", ""),
    ],
)  # fmt: skip
def test_account_and_its_end(details: Details, account: str, last_four: str) -> None:
    """Never more than half of an account, never the part of an address that names the mailbox."""
    assert details.account() == account
    assert details.last_four() == last_four


def test_one_account_in_two_spellings() -> None:
    spaced = NachaDetails("A", "021000021", "12 34", "checking", "business")
    assert spaced.account() == dataclasses.replace(spaced, account_number="1234").account()


@pytest.mark.parametrize(
    ("details", "change", "field"),
    [
        (SEPA, {"holder_name": ""}, "holder_name"),
        (SEPA, {"holder_name": " A"}, "holder_name"),
        (SEPA, {"holder_name": "A\nB"}, "holder_name"),
        (SEPA, {"holder_name": "A\u202eB"}, "holder_name"),
        (SEPA, {"holder_name": "x" * 141}, "holder_name"),
        (SEPA, {"holder_name": "נועה"}, "holder_name"),
        (SEPA, {"holder_name": "🦊"}, "holder_name"),
        (SEPA, {"holder_name": "." * 70 + "Anna"}, "holder_name"),
        (SEPA, {"iban": "NL92ABNA0417164300"}, "iban"),
        (SEPA, {"iban": "TR330006100519786457841326"}, "iban"),
        (SEPA, {"bic": "ABNA"}, "bic"),
        (SEPA, {"country": "nl"}, "country"),
        (SEPA, {"country": "UK"}, "country"),
        (SEPA, {"town": "x" * 36}, "town"),
        (SEPA, {"town": "东京"}, "town"),
        (SEPA, {"street": "ß" * 36}, "street"),
        (NACHA, {"holder_name": "." * 22 + "Anna"}, "holder_name"),
        (NACHA, {"routing_number": "021000022"}, "routing_number"),
        (NACHA, {"account_number": ""}, "account_number"),
        (NACHA, {"account_number": "1" * 18}, "account_number"),
        (NACHA, {"account_number": "12\n34"}, "account_number"),
        (NACHA, {"account_number": "000"}, "account_number"),
        (NACHA, {"account_type": "loan"}, "account_type"),
        (NACHA, {"entity_type": "llc"}, "entity_type"),
        (PAYPAL, {"recipient": "=cmd|'/c calc'!A1@example.com"}, "recipient"),
        (PAYPAL, {"recipient": "ana@example"}, "recipient"),
        (PAYPAL, {"recipient": "ana@exa mple.com"}, "recipient"),
        (PAYPAL, {"recipient": "a" * 250 + "@example.com"}, "recipient"),
        (PAYPAL, {"recipient": "+15551234567"}, "recipient"),
        (PAYPAL, {"recipient_type": "phone"}, "recipient"),
        (PAYPAL, {"recipient_type": "paypal_id"}, "recipient"),
        (PAYPAL, {"recipient_type": "post"}, "recipient_type"),
        (PAYPAL, {"wallet": "paypal"}, "wallet"),
        (PAYEES["paypal"][2], {"wallet": "VENMO"}, "recipient_type"),
        (WISE, {"recipient_id": "-1"}, "recipient_id"),
        (WISE, {"recipient_id": "1\n2"}, "recipient_id"),
        (WISE, {"recipient_email": "@SUM(A1)"}, "recipient_email"),
        (WISE, {"receiver_type": "person"}, "receiver_type"),
        (WISE, {"source_currency": "EURO"}, "source_currency"),
        (WISE, {"holder_name": "=1+1"}, "holder_name"),
        (WISE, {"holder_name": "A\u0000B"}, "holder_name"),
        (PAYERS["sepa"], {"name": "…"}, "name"),
        (PAYERS["sepa"], {"iban": "DE00370400440532013000"}, "iban"),
        (PAYERS["nacha"], {"name": "Seventeen letters"}, "name"),
        (PAYERS["nacha"], {"origin_id": "12345678"}, "origin_id"),
        (PAYERS["nacha"], {"company_id": "123456789"}, "company_id"),
        (PAYERS["nacha"], {"destination_routing": "091000018"}, "destination_routing"),
        (PAYERS["nacha"], {"odfi_routing": "500000005"}, "odfi_routing"),
        (PAYERS["nacha"], {"entry_description": "COMMISSIONS"}, "entry_description"),
        (PAYERS["nacha"], {"individual_entry_description": "payroll"},
         "individual_entry_description"),
        (PAYERS["paypal"], {"decimal_mark": ";"}, "decimal_mark"),
        (PAYERS["wise"], {"source_currency": ""}, "source_currency"),
    ],
)  # fmt: skip
def test_each_fault_names_its_field_and_repeats_nothing(
    details: Details, change: dict[str, str], field: str
) -> None:
    problems = dataclasses.replace(details, **change).problems()
    assert [problem.split()[0] for problem in problems] == [field]
    for name, value in change.items():
        assert name in CHOICES or len(value) < 4 or value not in problems[0]


def test_every_fault_is_told_at_once() -> None:
    bad = NachaDetails("", "1", "", "x", "y")
    assert len(bad.problems()) == 5


@pytest.mark.parametrize(
    ("rail", "text", "told"),
    [
        ("csv", "{}", "keeps no payee details"),
        ("sepa", "secret", "not JSON"),
        ("sepa", '["secret"]', "no fields"),
        ("sepa", to_json(WISE), "not payee details of the rail sepa"),
        ("sepa", to_json(PAYERS["sepa"]), "not payee details of the rail sepa"),
        ("sepa", '{"rail":"sepa","role":"payee","fields":{"iban":"secret"}}', "holder_name"),
        ("sepa", '{"rail":"sepa","role":"payee","fields":{"iban":1,"x":"secret"}}',
         "'x' is not known; iban must be text"),
    ],
)  # fmt: skip
def test_damaged_text_is_refused_without_showing_it(rail: str, text: str, told: str) -> None:
    with pytest.raises(DetailsInvalidError) as caught:
        details_from_json(rail, text)
    assert told in str(caught.value)
    assert "secret" not in "".join(traceback.format_exception(caught.value))


def test_details_from_a_form() -> None:
    details = details_of(WiseDetails, {"holder_name": "Ana", "recipient_id": "1"})
    assert details == WiseDetails("Ana", "1")
    assert isinstance(details_of(WisePayer, {"source_currency": "EUR"}), WisePayer)
    assert isinstance(details_of(SepaPayer, {"name": "A", "iban": "x"}), SepaPayer)
    with pytest.raises(DetailsInvalidError, match="odfi_routing is missing"):
        details_of(NachaPayer, {})
