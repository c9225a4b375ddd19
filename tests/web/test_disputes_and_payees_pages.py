"""Disputes and payees in the web app: taken up, decided, put in force by other people."""

from __future__ import annotations

import base64
import hashlib
from datetime import timedelta

import pytest

from payouts.adjustments import load_adjustments
from payouts.details import PaypalDetails
from payouts.dispute_records import load_disputes
from payouts.disputes import open_dispute
from payouts.payee_details import partner_owner, propose_details
from payouts.payee_details_records import load_details
from payouts.terms import approval_rules, payout_rules
from payouts.vault import open_vault
from tests.web_app import ANA, BEN, CLEO, NOW

KEY = base64.b64encode(hashlib.sha256(b"a vault of tests").digest()).decode()


def opened_dispute(app):
    """A dispute of p_4 on its newest paid line."""
    from dashboards.snapshot import open_snapshot
    from orchestration.web_services import WebServices

    workspace = app.settings.workspace
    services = WebServices(app.settings.home, lambda: workspace)
    with open_snapshot(app.settings.home) as connection:
        (commission_id,) = connection.execute(
            "select commission_id from marts.fct_commission_lines where partner_id = 'p_4' "
            "and kind = 'earning' and amount_minor > 0 order by earned_at desc, 1 limit 1"
        ).fetchone()
        subject = services.dispute_subject(connection, "line", commission_id, "p_4")
        evidence = services.dispute_evidence(connection, subject)
    dispute, _ = open_dispute(
        app.store,
        app.settings.home,
        subject_type="line",
        subject_id=commission_id,
        partner_id="p_4",
        happened_on=subject.happened_on,
        text="<b>This</b> customer paid twice",
        evidence=evidence,
        opened_by_role="partner",
        actor="partner:p_4",
        rules=approval_rules(workspace),
        payout_rules=payout_rules(workspace),
        timezone=workspace.program.program.timezone,
        recorded_at=NOW - timedelta(minutes=30),
    )
    return dispute


def test_dispute_is_taken_up_and_decided_with_an_adjustment(own_app):
    dispute = opened_dispute(own_app)
    path = f"/disputes/{dispute.dispute_id}"
    listed = own_app.client(ANA).get("/disputes").text
    assert dispute.dispute_id in listed
    shown = own_app.client(ANA).get(path)
    assert shown.status_code == 200
    assert "&lt;b&gt;This&lt;/b&gt; customer paid twice" in shown.text
    fields = {"outcome": "upheld", "remedy": "adjustment", "amount": "12.50", "reason": "it did"}
    assert own_app.post(ANA, f"{path}/decide", fields).status_code == 409
    assert own_app.post(ANA, f"{path}/review", {"reason": "the invoices"}).status_code == 303
    assert own_app.post(ANA, f"{path}/decide", fields).status_code == 303
    with own_app.store.read() as connection:
        (ended,) = load_disputes(connection)
        (adjustment,) = load_adjustments(connection)
    assert ended.state == "upheld"
    assert (adjustment.amount_minor, adjustment.state) == (1250, "proposed")
    assert "12.50" in own_app.client(BEN).get("/approvals").text


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"outcome": "won", "reason": "x"}, 400),
        ({"outcome": "upheld", "reason": "x", "remedy": "gift"}, 400),
        ({"outcome": "upheld", "reason": "x", "remedy": "adjustment", "amount": "ten"}, 400),
        ({"outcome": "rejected"}, 400),
    ],
)
def test_a_decision_that_says_nothing_usable_is_refused(own_app, fields, status):
    dispute = opened_dispute(own_app)
    own_app.post(ANA, f"/disputes/{dispute.dispute_id}/review", {"reason": "look"})
    answer = own_app.post(ANA, f"/disputes/{dispute.dispute_id}/decide", fields)
    assert answer.status_code == status
    with own_app.store.read() as connection:
        assert load_disputes(connection)[0].state == "under_review"


def test_unknown_dispute_is_refused(sample_app):
    assert sample_app.client(ANA).get("/disputes/dsp-none").status_code in (404, 409)


def test_new_details_are_put_in_force_by_finance_and_never_shown(own_app, own_home):
    vault = open_vault(own_home, KEY)
    address = "payments@agency.example"
    owner = partner_owner("p_4")
    propose_details(
        own_app.store,
        vault,
        owner,
        PaypalDetails("Agency", address, "email", "PAYPAL"),
        actor=ANA,
        rules=approval_rules(own_app.settings.workspace),
        recorded_at=NOW - timedelta(hours=1),
    )
    page = own_app.client(BEN).get("/payees").text
    assert "Put these details in force" in page
    assert address not in page
    with own_app.store.read() as connection:
        (record,) = load_details(connection, owner)
    fields = {"details_id": record.details_id, "reason": "called them"}
    assert own_app.post(ANA, "/payees/p_4/approve", fields).status_code == 400
    assert own_app.post(BEN, "/payees/p_4/approve", fields).status_code == 303
    with own_app.store.read() as connection:
        assert load_details(connection, owner)[-1].state == "approved"


def test_every_partner_is_listed_with_what_is_missing(sample_app):
    page = sample_app.client(CLEO).get("/payees").text
    assert "tax form" in page
    assert "/partners/p_10" in page
