"""What a partner is told when nothing can be shown: in its own words, without our commands."""

from __future__ import annotations

import shutil
from html import unescape

import pytest

from dashboards.errors import RefusedError, SnapshotMissingError
from orchestration.web_services import WebServices
from tests.web.access_world import AccessWorld
from tests.web.portal_world import ME
from tests.web_app import ANA

PAGES = ("/portal", "/portal/leads", "/portal/account", "/portal/rules", "/portal/payouts")
COMMAND = "partnerledger run"


@pytest.fixture
def before_the_night(own_home, own_app):
    """The app of a programme whose first night is still to come."""
    shutil.rmtree(own_home / "serving")
    return own_app


def test_partner_before_the_first_night_is_told_to_come_back(before_the_night):
    for path in PAGES:
        answer = before_the_night.client(ME).get(path)
        assert answer.status_code == 503, path
        assert "has not run its first night yet" in answer.text
        assert "Come back tomorrow" in answer.text and COMMAND not in answer.text
    form = {"version": "v", "text_sha256": "0" * 64}
    accepted = before_the_night.post(ME, "/portal/account/terms", form)
    assert accepted.status_code == 503 and "first night" in accepted.text
    assert COMMAND in before_the_night.client(ANA).get("/partners/p_4").text


def test_partner_signs_in_before_the_first_night(tmp_path):
    world = AccessWorld(tmp_path)
    shutil.rmtree(world.home / "serving")
    answer = world.client().get("/sign-in")
    assert answer.status_code == 200
    client = world.signed_in_partner()
    assert client.get("/portal/who").status_code == 200
    world.close()


def test_damaged_snapshot_is_no_business_of_a_partner(own_home, own_app):
    (own_home / "serving" / "current.json").unlink()
    (own_home / "serving" / "current.json").write_text("{")
    answer = own_app.client(ME).get("/portal")
    assert answer.status_code == 503
    assert "serving" not in answer.text and COMMAND not in answer.text
    assert "current.json" in own_app.client(ANA).get("/partners/p_4").text


def test_refusal_that_names_a_command_names_it_to_staff_alone(own_app, monkeypatch):
    def refuse(*_asked):
        raise RefusedError("the rules cannot be shown", "Run `partnerledger doctor`.")

    monkeypatch.setattr(WebServices, "partner_rules", refuse)
    text = unescape(own_app.client(ME).get("/portal/rules").text)
    assert "the rules cannot be shown" in text and "partnerledger doctor" not in text
    assert "Write to the programme's team." in text


def test_missing_snapshot_of_a_service_is_the_same_error(tmp_path):
    with pytest.raises(SnapshotMissingError):
        WebServices(tmp_path, lambda: None).shown_terms("p_4")
