"""Approvals in the web app: what the pages say is what the control database holds."""

from __future__ import annotations

import re

import pytest

from payouts.records import list_batches, load_state
from tests.web_app import ANA, BEN, CLEO, user_of

PAY_DATE = "2026-03-16"


def batches_of(app):
    with app.store.read() as connection:
        return {each.currency_code: each for each in list_batches(connection)}


def state_of(app, batch_id):
    with app.store.read() as connection:
        return load_state(connection, batch_id)


def approve(app, who, batch, role, content_hash=None):
    return app.post(
        who,
        f"/approvals/{batch.batch_id}/approve",
        {"content_hash": content_hash or batch.content_hash, "role": role},
    )


def test_queue_shows_every_live_batch_with_its_total(sample_app):
    text = sample_app.client(ANA).get("/approvals").text
    for batch in batches_of(sample_app).values():
        assert batch.batch_id in text
    assert "19\u202f793.81\u202fUSD" in text
    assert "398\u202f534\u202fJPY" in text


def test_batch_adds_up_before_the_eyes(sample_app):
    for batch in batches_of(sample_app).values():
        text = sample_app.client(BEN).get(f"/approvals/{batch.batch_id}").text
        assert "Lines, payouts and total agree to the cent" in text
        assert batch.content_hash in text


def test_lines_of_a_payout_add_up(sample_app):
    batch = batches_of(sample_app)["EUR"]
    text = sample_app.client(BEN).get(f"/approvals/{batch.batch_id}").text
    found = set(re.findall(rf"/approvals/{batch.batch_id}/payouts/([\w-]+)", text))
    assert len(found) == batch.items
    for payout_id in found:
        page = sample_app.client(BEN).get(f"/approvals/{batch.batch_id}/payouts/{payout_id}").text
        assert "The lines add up to the payout" in page


def test_two_people_approve_and_one_exports(own_app):
    batch = batches_of(own_app)["EUR"]
    assert approve(own_app, ANA, batch, "partnerships").status_code == 303
    assert state_of(own_app, batch.batch_id).state == "partnerships_approved"
    assert approve(own_app, BEN, batch, "finance").status_code == 303
    assert state_of(own_app, batch.batch_id).state == "finance_approved"
    done = own_app.post(CLEO, f"/approvals/{batch.batch_id}/export")
    assert done.status_code == 303, done.text
    assert state_of(own_app, batch.batch_id).state == "exported"
    events = own_app.client(ANA).get(f"/approvals/{batch.batch_id}").text
    assert "Exported" in events


def test_stale_hash_is_a_conflict_and_records_nothing(own_app):
    batch = batches_of(own_app)["EUR"]
    before = state_of(own_app, batch.batch_id)
    answer = approve(own_app, ANA, batch, "partnerships", "0" * 64)
    assert answer.status_code == 409
    assert "Nothing was done" in answer.text
    assert state_of(own_app, batch.batch_id) == before


def test_one_person_approves_once_only(own_app):
    batch = batches_of(own_app)["EUR"]
    both = user_of(BEN, roles=frozenset({"partnerships", "finance"}))
    assert approve(own_app, BEN, batch, "finance").status_code == 409
    assert approve(own_app, ANA, batch, "partnerships").status_code == 303
    assert approve(own_app, ANA, batch, "partnerships").status_code == 409
    # The session's roles are not what counts: the terms are.
    assert approve(own_app, both, batch, "partnerships").status_code == 409
    assert len(state_of(own_app, batch.batch_id).approvals) == 1


def test_export_before_approval_is_refused(own_app):
    batch = batches_of(own_app)["EUR"]
    assert own_app.post(BEN, f"/approvals/{batch.batch_id}/export").status_code == 409
    assert state_of(own_app, batch.batch_id).state == "proposed"


@pytest.mark.parametrize("what", ["reject", "hold", "revoke"])
def test_reason_is_needed(own_app, what):
    batch = batches_of(own_app)["EUR"]
    answer = own_app.post(
        ANA,
        f"/approvals/{batch.batch_id}/{what}",
        {"content_hash": batch.content_hash, "subject_type": "partner", "subject_id": "p_4"},
    )
    assert answer.status_code == 400
    assert "reason is missing" in answer.text
    assert state_of(own_app, batch.batch_id).state == "proposed"


def test_holding_a_partner_makes_the_batch_stale_and_the_next_one_pays_the_others(own_app):
    batch = batches_of(own_app)["EUR"]
    held = own_app.post(
        BEN,
        f"/approvals/{batch.batch_id}/hold",
        {"subject_type": "partner", "subject_id": "p_4", "reason": "asked about an invoice"},
    )
    assert held.status_code == 303
    assert state_of(own_app, batch.batch_id).state == "stale"


def test_one_click_needs_every_total_as_it_is(own_app):
    path = f"/approvals/pay/{PAY_DATE}"
    page = own_app.client(ANA).get(path)
    assert page.status_code == 200
    fields = set(re.findall(r'name="total_([A-Z]{3})"', page.text))
    assert fields == {"EUR", "JPY", "USD"}
    totals = {code: batch.total_amount_minor for code, batch in batches_of(own_app).items()}
    typed = {
        "total_EUR": f"{totals['EUR'] // 100}.{totals['EUR'] % 100:02d}",
        "total_USD": "19,793.81 USD",
        "total_JPY": "398534",
        "role": "partnerships",
    }
    wrong = own_app.post(ANA, path, {**typed, "total_JPY": "398535"})
    assert wrong.status_code == 409
    missing = own_app.post(ANA, path, {k: v for k, v in typed.items() if k != "total_JPY"})
    assert missing.status_code == 409
    assert {state_of(own_app, b.batch_id).state for b in batches_of(own_app).values()} == {
        "proposed"
    }
    assert own_app.post(ANA, path, typed).status_code == 303
    assert {state_of(own_app, b.batch_id).state for b in batches_of(own_app).values()} == {
        "partnerships_approved"
    }
    second = own_app.post(BEN, path, {**typed, "role": "finance", "export": "1"})
    assert second.status_code == 303
    after = {code: state_of(own_app, b.batch_id).state for code, b in batches_of(own_app).items()}
    # A total above 25,000 needs a second person of finance.
    assert after == {"EUR": "exported", "USD": "exported", "JPY": "partnerships_approved"}


def test_identity_of_the_session_is_recorded(own_app):
    batch = batches_of(own_app)["EUR"]
    signed_in = user_of(ANA, identity_level="oidc")
    assert approve(own_app, signed_in, batch, "partnerships").status_code == 303
    assert state_of(own_app, batch.batch_id).approvals[0].identity_level == "oidc"


def test_pause_stops_exports_until_another_person_resumes(own_app):
    batch = batches_of(own_app)["EUR"]
    approve(own_app, ANA, batch, "partnerships")
    approve(own_app, BEN, batch, "finance")
    assert own_app.post(BEN, "/approvals/pause", {"reason": "a call"}).status_code == 303
    assert "Payouts are paused" in own_app.client(ANA).get("/approvals").text
    assert own_app.post(BEN, f"/approvals/{batch.batch_id}/export").status_code == 409
    assert own_app.post(BEN, "/approvals/resume", {"reason": "x"}).status_code == 409
    assert own_app.post(CLEO, "/approvals/resume", {"reason": "checked"}).status_code == 303
    assert own_app.post(BEN, f"/approvals/{batch.batch_id}/export").status_code == 303


def test_evidence_pack_is_a_download(sample_app):
    batch = batches_of(sample_app)["EUR"]
    answer = sample_app.client(CLEO).get(f"/approvals/{batch.batch_id}/evidence")
    assert answer.headers["content-type"] == "application/zip"
    assert answer.content[:2] == b"PK"


def test_unknown_batch_is_not_found(sample_app):
    assert sample_app.client(ANA).get("/approvals/b-none").status_code == 404
