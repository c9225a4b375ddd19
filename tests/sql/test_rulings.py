"""A6, J1, R10: what approved rulings post, over four nights of one programme; cents by hand.

Each story stands alone in the facts below; together they share the nights.
"""

from __future__ import annotations

from datetime import date, datetime

import pytest

from payouts.rulings import decide_ruling, propose_ruling, revoke_ruling
from payouts.store import open_store
from payouts.terms import ApprovalRules
from tests.workspaces import post_night, write_drop, write_workspace

pytestmark = pytest.mark.sql

PROGRAM = """\
program: {id: t, name: T, legal_entity: T Inc, timezone: UTC, reporting_currency: USD}
lead: [{effective_from: 2025-01-01, valid_when: demo_booked}]
attribution: [{effective_from: 2025-01-01, model: last_touch, after_earning: pin}]
plans:
  - id: standard
    versions:
      - effective_from: 2025-01-01
        components:
          - {id: bounty, kind: event, trigger: demo_held, amount: {USD: 50.00, EUR: 40.00}}
          - {id: recurring, kind: recurring, rate: 0.20}
groups: {default: standard}
payouts: {rails: {default: csv}}
"""
ANA, BEN = "ana@t.test", "ben@t.test"
RULES = ApprovalRules(
    roles={"partnerships": frozenset({ANA}), "finance": frozenset({BEN})},
)
RULED_AT = datetime(2025, 7, 5, 12)


def _partner(partner_id: str, currency: str = "USD") -> dict[str, str]:
    return {
        "partner_id": partner_id,
        "name": partner_id,
        "email": f"{partner_id}@{partner_id}.test",
        "status": "active",
        "payout_currency": currency,
    }


def _click(name: str, partner_id: str) -> dict[str, str]:
    return {
        "touchpoint_id": f"t_{name}",
        "occurred_at": "2025-05-20T10:00:00Z",
        "touch_type": "referral_link",
        "code": partner_id,
        "email": f"eve@{name}.test",
    }


def _meeting(meeting_id: str, name: str, day: str) -> dict[str, str]:
    return {
        "meeting_id": meeting_id,
        "booked_at": "2025-05-25T10:00:00Z",
        "starts_at": f"{day}T10:00:00Z",
        "outcome": "held",
        "email": f"eve@{name}.test",
    }


def _sale(name: str, total: str) -> tuple[dict[str, str], dict[str, str], dict[str, str]]:
    customer = {
        "customer_id": f"c_{name}",
        "created_at": "2025-05-26",
        "email": f"eve@{name}.test",
    }
    invoice = {
        "invoice_id": f"i_{name}",
        "customer_id": f"c_{name}",
        "status": "open",
        "currency_code": "USD",
        "issued_at": "2025-06-01",
        "total_minor": total,
    }
    line = {"invoice_line_id": f"l_{name}", "invoice_id": f"i_{name}", "amount_minor": total}
    return customer, invoice, line


def _payment(payment_id: str, name: str, amount: str, day: str) -> dict[str, str]:
    return {
        "payment_id": payment_id,
        "invoice_id": f"i_{name}",
        "amount_minor": amount,
        "paid_at": day,
    }


def _facts() -> dict:
    """Buyers fx (Eva, paid in EUR), parts and raise (Zoe); demos of twice, wes and xia."""
    sales = [_sale("fx", "10000"), _sale("parts", "20000"), _sale("raise", "10000")]
    return {
        "partners": [
            *(_partner(name) for name in ("zoe", "yan", "wes", "xia")),
            _partner("eva", "EUR"),
        ],
        "partner_codes": [
            {"code": name, "partner_id": name, "code_type": "referral_link"}
            for name in ("zoe", "wes", "xia", "eva")
        ],
        "fx_rates": [
            {"rate_date": "2025-05-30", "currency_code": "USD", "rate": "1.25"},
        ],
        "touchpoints": [
            _click("fx", "eva"),
            _click("parts", "zoe"),
            _click("raise", "zoe"),
            _click("twice", "zoe"),
            _click("wes", "wes"),
            _click("xia", "xia"),
        ],
        "meetings": [
            _meeting("m_twice_1", "twice", "2025-06-12"),
            _meeting("m_wes", "wes", "2025-06-12"),
            _meeting("m_xia", "xia", "2025-06-13"),
        ],
        "customers": [sale[0] for sale in sales],
        "invoices": [sale[1] for sale in sales],
        "invoice_lines": [sale[2] for sale in sales],
        "payments": [
            _payment("p_fx", "fx", "10000", "2025-06-02"),
            _payment("p_parts_1", "parts", "10000", "2025-06-01"),
            _payment("p_raise", "raise", "10000", "2025-06-02"),
        ],
    }


def _rule(home, night, record: str, credits: dict[str, int], at: datetime = RULED_AT) -> str:
    ((lead_id,),) = night.rows(
        f"SELECT lead_id FROM intermediate.int_identity__lead_records WHERE record_id = '{record}'"
    )
    store = open_store(home)
    try:
        ruling = propose_ruling(
            store, lead_id=lead_id, credits=credits, reason="r", evidence="e", actor=ANA,
            recorded_at=at,
        )  # fmt: skip
        decide_ruling(
            store, ruling_id=ruling.ruling_id, is_approved=True, reason="r", actor=BEN,
            rules=RULES, recorded_at=at,
        )  # fmt: skip
    finally:
        store.close()
    return ruling.ruling_id


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """Four nights; entries as (segment, kind, partner, source, amount, effective, available)."""
    root = tmp_path_factory.mktemp("rulings")
    home = root / "var"
    facts = _facts()
    workspace = write_workspace(root / "workspace", PROGRAM, facts)
    first = post_night(workspace, home, date(2025, 5, 30))
    _rule(home, first, "t_raise", {"zoe": 500_000, "yan": 500_000})
    first = post_night(workspace, home, date(2025, 6, 30))

    fx_ruling = _rule(home, first, "c_fx", {})
    _rule(home, first, "c_parts", {"zoe": 500_000, "yan": 500_000})
    _rule(home, first, "c_raise", {"yan": 1_000_000})
    _rule(home, first, "m_xia", {"yan": 1_000_000})
    facts["meetings"].append(_meeting("m_twice_0", "twice", "2025-06-10"))
    write_drop(workspace / "drop", facts)
    second = post_night(workspace, home, date(2025, 7, 31))

    _rule(home, second, "m_twice_1", {"yan": 1_000_000}, datetime(2025, 8, 5, 12))
    store = open_store(home)
    try:
        revoke_ruling(
            store, ruling_id=fx_ruling, reason="r", actor=BEN, rules=RULES,
            recorded_at=datetime(2025, 8, 6, 12),
        )  # fmt: skip
    finally:
        store.close()
    facts["payments"].append(_payment("p_parts_2", "parts", "10000", "2025-09-20"))
    facts["companies"] = [{"company_id": "co", "domain": "joined.test"}]
    facts["contacts"] = [
        {
            "contact_id": f"k_{name}",
            "email": f"eve@{name}.test",
            "created_at": "2025-09-01",
            "company_id": "co",
        }
        for name in ("wes", "xia")
    ]
    write_drop(workspace / "drop", facts)
    third = post_night(workspace, home, date(2025, 9, 30))
    again = post_night(workspace, home, date(2025, 9, 30))
    entries = third.rows(
        "SELECT segment, entry_kind, partner_id, source_id, payout_amount_minor, "
        "effective_date::varchar, available_date::varchar FROM raw.journal__entries "
        "ORDER BY ALL"
    )
    return third, again, entries


def _of(told, *sources: str) -> list[tuple]:
    return [row for row in told[2] if row[3] in sources]


def test_repeated_night_posts_nothing(told) -> None:
    assert told[1].new_entries == 0


def test_ruling_that_credits_nobody_takes_back_at_the_rate_of_the_original_and_a_revocation_gives(
    told,
) -> None:
    # 20 % of 100.00 USD = 20.00 USD = 16.00 EUR at 1.25; taken, and given back with its own date.
    assert _of(told, "l_fx") == [
        (1, "earning", "eva", "l_fx", 1600, "2025-06-02", "2025-07-02"),
        (2, "ruling", "eva", "l_fx", -1600, "2025-07-05", "2025-07-05"),
        (3, "ruling", "eva", "l_fx", 1600, "2025-07-05", "2025-07-05"),
    ]


def test_payment_after_a_ruling_is_earned_by_itself_on_its_own_day(told) -> None:
    assert _of(told, "l_parts") == [
        (1, "earning", "zoe", "l_parts", 2000, "2025-06-01", "2025-07-01"),
        (2, "earning", "yan", "l_parts", 1000, "2025-06-01", "2025-07-01"),
        (2, "ruling", "zoe", "l_parts", -1000, "2025-07-05", "2025-07-05"),
        (3, "earning", "yan", "l_parts", 1000, "2025-09-20", "2025-10-20"),
        (3, "earning", "zoe", "l_parts", 1000, "2025-09-20", "2025-10-20"),
    ]


def test_ruling_can_raise_what_a_partner_has(told) -> None:
    assert _of(told, "l_raise") == [
        (1, "earning", "yan", "l_raise", 1000, "2025-06-02", "2025-07-02"),
        (1, "earning", "zoe", "l_raise", 1000, "2025-06-02", "2025-07-02"),
        (2, "ruling", "yan", "l_raise", 1000, "2025-07-05", "2025-07-05"),
        (2, "ruling", "zoe", "l_raise", -1000, "2025-07-05", "2025-07-05"),
    ]


def test_event_that_a_late_earlier_one_replaced_earns_nothing_again_under_a_ruling(told) -> None:
    assert _of(told, "m_twice_0", "m_twice_1") == [
        (1, "earning", "zoe", "m_twice_1", 5000, "2025-06-12", "2025-07-12"),
        (2, "earning", "zoe", "m_twice_0", 5000, "2025-06-10", "2025-07-10"),
        (2, "earning", "zoe", "m_twice_1", -5000, "2025-06-12", "2025-07-12"),
        (3, "earning", "yan", "m_twice_0", 5000, "2025-06-10", "2025-07-10"),
        (3, "ruling", "zoe", "m_twice_0", -5000, "2025-08-05", "2025-08-05"),
    ]


def test_ruling_on_one_of_two_leads_that_join_later_takes_nothing_from_the_other(told) -> None:
    assert _of(told, "m_wes", "m_xia") == [
        (1, "earning", "wes", "m_wes", 5000, "2025-06-12", "2025-07-12"),
        (1, "earning", "xia", "m_xia", 5000, "2025-06-13", "2025-07-13"),
        (2, "earning", "yan", "m_xia", 5000, "2025-06-13", "2025-07-13"),
        (2, "ruling", "xia", "m_xia", -5000, "2025-07-05", "2025-07-13"),
    ]
    ((leads,),) = told[0].rows(
        "SELECT count(DISTINCT lead_id) FROM intermediate.int_identity__lead_records "
        "WHERE record_id IN ('m_wes', 'm_xia')"
    )
    assert leads == 1
