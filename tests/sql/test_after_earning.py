"""A6: what a late touch, or a record that joins leads, may still change once a lead has earned."""

from datetime import date

import pytest

from orchestration.night import Night
from orchestration.warehouse import open_working_file
from payouts.approvals import approve
from payouts.export import export_batch
from payouts.terms import approval_rules, payout_rules
from tests.compiled import build_facts
from tests.workspaces import NOW, PostedNight, post_night, write_drop, write_workspace

pytestmark = pytest.mark.sql

PROGRAM = """\
program: {{id: t, name: T, legal_entity: T Inc, timezone: UTC, reporting_currency: USD}}
lead: [{{effective_from: 2025-01-01, valid_when: demo_booked}}]
attribution: [{{effective_from: 2025-01-01, model: last_touch, after_earning: {after_earning}}}]
plans:
  - id: standard
    versions:
      - effective_from: 2025-01-01
        components: [{{id: recurring, kind: recurring, rate: 0.20}}]
groups: {{default: standard}}
payouts: {{rails: {{default: csv}}, gates: []}}
roles: {{partnerships: [pat@t.example], finance: [fin@t.example], analyst: [], admin: []}}
"""
EARNINGS = (
    "SELECT partner_id, source_id, amount_minor, ordinal FROM raw.journal__entries "
    "WHERE entry_kind = 'earning' ORDER BY ALL"
)
DECIDED = (
    "SELECT partner_id, decided_by, computed_credit_ppm FROM intermediate.int_attribution__credits"
)
DISCREPANCIES = (
    "SELECT scope_type, partner_id, held_by, credit_ppm, computed_credit_ppm "
    "FROM intermediate.int_attribution__discrepancies ORDER BY ALL"
)
EVE, MAX = "eve@buyer.test", "max@other.test"


def _facts() -> dict:
    """Ana's click on 1 May, a demo booked on the 10th, an invoice of 100.00 paid in June."""
    return {
        "partners": [
            _partner("ana"),
            _partner("bob"),
            _partner("cyd"),
        ],
        "partner_codes": [
            {"code": partner, "partner_id": partner, "code_type": "referral_link"}
            for partner in ("ana", "bob", "cyd")
        ],
        "touchpoints": [_click("t1", "2025-05-01T10:00:00Z", "ana")],
        "meetings": [_demo("m1", "2025-05-10T10:00:00Z")],
        "customers": [{"customer_id": "c1", "created_at": "2025-05-20", "email": EVE}],
        "invoices": [_invoice("i1", "2025-06-01")],
        "invoice_lines": [_line("i1")],
    }


def _partner(name: str) -> dict[str, str]:
    email = f"{name}@{name}.test"
    return {"partner_id": name, "name": name.title(), "email": email, "status": "active"}


def _click(touchpoint_id: str, occurred_at: str, code: str, email: str = EVE) -> dict[str, str]:
    return {
        "touchpoint_id": touchpoint_id,
        "occurred_at": occurred_at,
        "touch_type": "referral_link",
        "code": code,
        "email": email,
    }


def _demo(meeting_id: str, booked_at: str, email: str = EVE) -> dict[str, str]:
    return {
        "meeting_id": meeting_id,
        "booked_at": booked_at,
        "starts_at": "2025-05-12T10:00:00Z",
        "outcome": "held",
        "email": email,
    }


def _invoice(invoice_id: str, day: str, customer_id: str = "c1") -> dict[str, str]:
    return {
        "invoice_id": invoice_id,
        "customer_id": customer_id,
        "status": "paid",
        "currency_code": "USD",
        "issued_at": day,
        "paid_at": day,
        "total_minor": "10000",
    }


def _line(invoice_id: str) -> dict[str, str]:
    """Line l1 of invoice i1, and so on."""
    line_id = invoice_id.replace("i", "l")
    return {"invoice_line_id": line_id, "invoice_id": invoice_id, "amount_minor": "10000"}


def _bill(facts: dict, *invoices: dict[str, str]) -> None:
    facts["invoices"] += invoices
    facts["invoice_lines"] += [_line(invoice["invoice_id"]) for invoice in invoices]


def _workspace(tmp_path, after_earning: str, facts: dict):
    program = PROGRAM.format(after_earning=after_earning)
    return write_workspace(tmp_path / "workspace", program, facts)


def _two_nights(tmp_path, after_earning: str, second_night=post_night) -> PostedNight:
    """The second night knows a click on Bob's link on 9 May and a second invoice in July."""
    facts = _facts()
    workspace = _workspace(tmp_path, after_earning, facts)
    post_night(workspace, tmp_path / "var", date(2025, 6, 30))
    facts["touchpoints"].append(_click("t2", "2025-05-09T10:00:00Z", "bob"))
    _bill(facts, _invoice("i2", "2025-07-01"))
    write_drop(workspace / "drop", facts)
    return second_night(workspace, tmp_path / "var", date(2025, 7, 31))


def _night_that_pays(workspace, home, as_of: date) -> PostedNight:
    """A posted night whose batches are proposed, approved and exported."""
    night = Night.open(workspace, home, as_of, clock=lambda: NOW)
    try:
        night.ingest()
        night.prepare()
        build_facts(home)
        posted = night.post()
        night.require_built("ledger", night.build("ledger"))
        rules = approval_rules(night.workspace)
        with open_working_file(home) as warehouse:
            for batch in night.propose():
                for role, person in (("partnerships", "pat"), ("finance", "fin")):
                    approve(
                        night.store,
                        home,
                        batch.batch_id,
                        approved_hash=batch.content_hash,
                        actor=f"{person}@t.example",
                        role=role,
                        rules=rules,
                        recorded_at=NOW,
                    )
                export_batch(
                    night.store,
                    home,
                    batch.batch_id,
                    warehouse=warehouse,
                    as_of=as_of,
                    rules=payout_rules(night.workspace),
                    approval_rules=rules,
                    exported_at=NOW,
                )
    finally:
        night.close()
    return PostedNight(home, posted.rows)


def test_pin_lead_that_earned_stays_with_its_partner_and_lists_the_discrepancy(tmp_path) -> None:
    night = _two_nights(tmp_path, "pin")
    assert night.rows(EARNINGS) == [("ana", "l1", 2000, 1), ("ana", "l2", 2000, 1)]
    assert night.rows(DECIDED) == [("ana", "pinned", 0)]
    assert night.rows(DISCREPANCIES) == [
        ("lead", "ana", "pin", 1_000_000, 0),
        ("lead", "bob", "pin", 0, 1_000_000),
    ]


def test_recompute_lead_that_earned_moves_and_the_past_is_taken_back_by_an_entry(tmp_path) -> None:
    night = _two_nights(tmp_path, "recompute")
    assert night.rows(EARNINGS) == [
        ("ana", "l1", -2000, 2),
        ("ana", "l1", 2000, 1),
        ("bob", "l1", 2000, 1),
        ("bob", "l2", 2000, 1),
    ]
    assert night.rows(DECIDED) == [("bob", "computed", 1_000_000)]
    assert night.rows(DISCREPANCIES) == []


def test_recompute_until_paid_lead_moves_until_a_batch_has_paid_one_of_its_entries(
    tmp_path,
) -> None:
    """Bob is paid in the second night; the third knows a click on Cyd's link before the demo."""
    moved = _two_nights(tmp_path, "recompute_until_paid", _night_that_pays)
    assert moved.rows(EARNINGS) == [
        ("ana", "l1", -2000, 2),
        ("ana", "l1", 2000, 1),
        ("bob", "l1", 2000, 1),
        ("bob", "l2", 2000, 1),
    ]
    facts = _facts()
    facts["touchpoints"] += [
        _click("t2", "2025-05-09T10:00:00Z", "bob"),
        _click("t3", "2025-05-10T09:00:00Z", "cyd"),
    ]
    _bill(facts, _invoice("i2", "2025-07-01"), _invoice("i3", "2025-08-01"))
    workspace = tmp_path / "workspace"
    write_drop(workspace / "drop", facts)
    night = post_night(workspace, tmp_path / "var", date(2025, 8, 31))
    assert night.rows(
        "SELECT partner_id, payout_amount_minor FROM raw.journal__entries "
        "WHERE entry_kind = 'payout'"
    ) == [("bob", -4000)]
    assert night.rows(EARNINGS) == [
        ("ana", "l1", -2000, 2),
        ("ana", "l1", 2000, 1),
        ("bob", "l1", 2000, 1),
        ("bob", "l2", 2000, 1),
        ("bob", "l3", 2000, 1),
    ]
    assert night.rows(DECIDED) == [("bob", "pinned", 0)]
    assert night.rows(DISCREPANCIES) == [
        ("lead", "bob", "pin", 1_000_000, 0),
        ("lead", "cyd", "pin", 0, 1_000_000),
    ]


def test_pin_leads_that_earned_and_join_keep_each_customer_and_the_rest_follows_the_older(
    tmp_path,
) -> None:
    """Ana brought Eve, Bob brought Max; in July Max's product is used under Eve's e-mail.

    The joined lead became valid on 10 May; the last touch until then is Bob's of 2 May, so that the
    computation alone would give him everything.
    """
    facts = _facts()
    facts["touchpoints"].append(_click("t2", "2025-05-02T10:00:00Z", "bob", MAX))
    facts["meetings"].append(_demo("m2", "2025-05-11T10:00:00Z", MAX))
    facts["customers"].append({"customer_id": "c2", "created_at": "2025-05-21", "email": MAX})
    _bill(facts, _invoice("i2", "2025-06-02", "c2"))
    workspace = _workspace(tmp_path, "pin", facts)
    apart = post_night(workspace, tmp_path / "var", date(2025, 6, 30))
    assert apart.rows(EARNINGS) == [("ana", "l1", 2000, 1), ("bob", "l2", 2000, 1)]
    former = dict(apart.rows("SELECT partner_id, lead_id FROM raw.journal__entries"))
    assert former["ana"] != former["bob"]

    facts["product_events"] = [
        {
            "event_id": "e1",
            "name": "opened",
            "occurred_at": "2025-07-01T10:00:00Z",
            "email": EVE,
            "customer_id": "c2",
        }
    ]
    facts["customers"].append({"customer_id": "c3", "created_at": "2025-07-02", "email": EVE})
    _bill(
        facts,
        _invoice("i3", "2025-07-03", "c1"),
        _invoice("i4", "2025-07-04", "c2"),
        _invoice("i5", "2025-07-05", "c3"),
    )
    write_drop(workspace / "drop", facts)
    joined = post_night(workspace, tmp_path / "var", date(2025, 7, 31))
    assert joined.rows(EARNINGS) == [
        ("ana", "l1", 2000, 1),
        ("ana", "l3", 2000, 1),
        ("ana", "l5", 2000, 1),
        ("bob", "l2", 2000, 1),
        ("bob", "l4", 2000, 1),
    ]
    assert joined.rows(
        "SELECT DISTINCT lead_id FROM raw.journal__entries WHERE source_id IN ('l3', 'l4', 'l5')"
    ) == [(former["ana"],)]
    assert joined.rows(
        "SELECT lead_id FROM intermediate.int_identity__lead_aliases "
        f"WHERE alias_lead_id = '{former['bob']}'"
    ) == [(former["ana"],)]
    assert joined.rows(DECIDED) == [("ana", "pinned", 0)]
    assert joined.rows(DISCREPANCIES) == [
        ("lead", "ana", "pin", 1_000_000, 0),
        ("lead", "bob", "pin", 0, 1_000_000),
    ]
