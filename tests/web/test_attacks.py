"""The web app under attack: what a stranger, a partner, a mistake or a crash must not achieve."""

from __future__ import annotations

import json
import logging
import shutil

import duckdb
import pytest

from dashboards.csrf import FIELD, form_token
from dashboards.routing import page
from dashboards.snapshots import Snapshots
from dashboards.users import PUBLIC, STAFF
from payouts.errors import ControlBusyError
from payouts.records import list_batches
from tests.web_app import ANA, BEN, web_app

PARTNER = "partner:p_4"


def token_of(app) -> str:
    return form_token(app.settings.secret, app.user.session_id)


def republished(home, change) -> None:
    """Publish a changed copy of the snapshot. change: gets a writing connection to it."""
    serving = home / "serving"
    pointer = json.loads((serving / "current.json").read_text())
    copy = serving / "changed.duckdb"
    shutil.copyfile(serving / pointer["path"], copy)
    with duckdb.connect(str(copy)) as connection:
        change(connection)
    (serving / "current.json").unlink()
    (serving / "current.json").write_text(json.dumps({**pointer, "path": copy.name}))


# ── forms ───────────────────────────────────────────────────────────────────────────────────────


def test_form_in_chunks_is_refused_when_it_grows_too_large(sample_app):
    sent = []

    def chunks():
        for number in range(2000):
            sent.append(number)
            yield b"field%d=" % number + b"x" * 10_000 + b"&"

    form = {"content-type": "application/x-www-form-urlencoded"}
    answer = sample_app.client(None).post("/sign-in/link", content=chunks(), headers=form)
    assert answer.status_code == 413


@pytest.mark.parametrize("origin", ["http://[", "null", "https://evil.example", "//"])
def test_form_of_another_origin_is_refused_however_it_is_written(own_app, origin):
    client = own_app.client(BEN)
    fields = {FIELD: token_of(own_app), "reason": "x"}
    answer = client.post("/approvals/pause", data=fields, headers={"origin": origin})
    assert answer.status_code == 403


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/json", "application/octet-stream", None]
)
def test_form_of_another_content_type_counts_as_empty(own_app, kind):
    client = own_app.client(BEN)
    text = f"{FIELD}={token_of(own_app)}&reason=x"
    headers = {"content-type": kind} if kind else {}
    assert client.post("/approvals/pause", content=text, headers=headers).status_code == 403


# ── addresses ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "number", ["0000000019999999999999999999", "000000001" + "9" * 5000, "1000000", "-1", "\u00b2"]
)
def test_page_numbers_beyond_every_list_are_no_numbers(sample_app, number):
    client = sample_app.client(ANA)
    for path in ("/commissions", "/approvals"):
        assert client.get(path, params={"page": number}).status_code == 400


# ── approvals ───────────────────────────────────────────────────────────────────────────────────


def test_approval_is_taken_back_by_its_own_person_alone(own_app):
    with own_app.store.read() as connection:
        batch = list_batches(connection)[0]
    path = f"/approvals/{batch.batch_id}"
    seen = {"content_hash": batch.content_hash, "role": "partnerships"}
    assert own_app.post(ANA, f"{path}/approve", seen).status_code == 303
    assert own_app.post(BEN, f"{path}/revoke", {"reason": "not mine"}).status_code == 409
    assert own_app.post(ANA, f"{path}/revoke", {"reason": "looked wrong"}).status_code == 303
    finance = {"content_hash": batch.content_hash, "role": "finance"}
    # It is proposed again: nothing that was agreed to before counts.
    assert own_app.post(BEN, f"{path}/approve", finance).status_code == 409
    assert own_app.post(ANA, f"{path}/approve", seen).status_code == 303


# ── faults ──────────────────────────────────────────────────────────────────────────────────────


def test_fault_of_ours_is_a_page_with_all_headers_and_no_detail(own_home, monkeypatch, caplog):
    from dashboards import app as app_module

    def fail(visit):
        raise RuntimeError("account DE89 of bob@partner.example")

    failing = (page("/fails/{token}", fail, PUBLIC), page("/fails", fail, STAFF))
    monkeypatch.setattr(app_module.create_app, "__defaults__", (failing, None))
    with web_app(own_home) as made, caplog.at_level(logging.ERROR):
        for who, path in ((None, "/fails/tok-secret"), (ANA, "/fails")):
            answer = made.client(who).get(path)
            assert answer.status_code == 500
            assert "default-src 'none'" in answer.headers["content-security-policy"]
            assert answer.headers["cache-control"] == "no-store"
            assert "DE89" not in answer.text and "Traceback" not in answer.text
    said = [record.getMessage() for record in caplog.records]
    assert said == ["a page failed: GET /fails/{token}", "a page failed: GET /fails"]


def test_partner_hears_nothing_of_the_machine_and_staff_what_to_do(own_app, monkeypatch):
    def busy(*_asked, **_named):
        raise ControlBusyError("the control database in /srv/home is held by another writer")

    monkeypatch.setattr(type(own_app.store), "read", busy)
    for_partner = own_app.client(PARTNER).get("/portal/disputes")
    assert for_partner.status_code == 503 and "/srv/home" not in for_partner.text
    for_staff = own_app.client(ANA).get("/approvals")
    assert for_staff.status_code == 503 and "/srv/home" in for_staff.text


@pytest.mark.parametrize("damage", ["no pointer", "no file", "no pointer text", "cut off"])
def test_damaged_snapshot_is_said_to_be_not_ready(own_home, damage):
    serving = own_home / "serving"
    current = serving / "current.json"
    pointer = json.loads(current.read_text())
    current.unlink()
    if damage == "no file":
        current.write_text(json.dumps({**pointer, "path": "gone.duckdb"}))
    elif damage == "no pointer text":
        current.write_text("[]")
    elif damage == "cut off":
        whole = (serving / pointer["path"]).read_bytes()
        (serving / "cut.duckdb").write_bytes(whole[: len(whole) // 2])
        current.write_text(json.dumps({**pointer, "path": "cut.duckdb"}))
    with web_app(own_home) as made:
        for who, path in ((ANA, "/leads"), (PARTNER, "/portal/leads")):
            answer = made.client(who).get(path)
            assert answer.status_code == 503
            assert who == ANA or str(own_home) not in answer.text
        assert made.client(None).get("/sign-in").status_code == 200


def test_snapshot_of_an_older_version_is_said_to_be_not_ready(own_home):
    republished(own_home, lambda night: night.execute("drop table marts.fct_partner_daily"))
    with web_app(own_home) as made:
        answer = made.client(ANA).get("/")
    assert answer.status_code == 503 and "partnerledger run" in answer.text


def test_snapshot_that_duckdb_gave_up_is_opened_again(sample_home):
    snapshots = Snapshots(sample_home)
    pointer, cursor = snapshots.current()
    # As after an internal error: the instance refuses everything from now on.
    snapshots._open[pointer.path].close()
    again, other = snapshots.current()
    assert again == pointer
    assert other.execute("select count(*) from marts.mart_metadata").fetchone() == (1,)
    cursor.close()
    other.close()
    snapshots.close()


@pytest.mark.parametrize(("failures", "status"), [(1, 200), (2, 500)])
def test_page_is_asked_again_once_when_duckdb_fails_inside(own_app, monkeypatch, failures, status):
    from dashboards import queries

    left, run = [duckdb.InternalException("vector of size 0")] * failures, queries.run

    def failing(connection, name, values=None):
        if left:
            raise left.pop()
        return run(connection, name, values)

    monkeypatch.setattr(queries, "run", failing)
    assert own_app.client(ANA).get("/leads").status_code == status


def test_form_is_not_sent_again_when_duckdb_fails_inside(own_app, monkeypatch):
    from dashboards.visit import Visit

    asked = []

    def failing(visit, *_asked):
        asked.append(visit)
        raise duckdb.InternalException("vector of size 0")

    monkeypatch.setattr(Visit, "required", failing)
    assert own_app.post(ANA, "/approvals/pause", {"reason": "x"}).status_code == 500
    assert len(asked) == 1


def test_handles_of_snapshots_do_not_pile_up(sample_home):
    snapshots = Snapshots(sample_home)
    for _ in range(50):
        _, cursor = snapshots.current()
        cursor.close()
    assert len(snapshots._open) == 1
    snapshots.close()


@pytest.mark.parametrize(
    "changed",
    [{"path": 3}, {"as_of": "x"}, {"as_of": None}, {"published_at": "soon"}, {"run_id": []}],
    ids=str,
)
def test_a_pointer_with_odd_values_is_damaged(tmp_path, changed):
    import json

    from dashboards.errors import SnapshotDamagedError
    from dashboards.snapshot import POINTER_NAME, read_pointer, serving_folder

    pointer = {
        "path": "a.duckdb", "run_id": "a", "as_of": "2026-02-28",
        "published_at": "2026-03-01T05:00:00", "sha256": "", "terms_hash": "", "journal_head": "",
    }  # fmt: skip
    serving_folder(tmp_path).mkdir()
    (serving_folder(tmp_path) / POINTER_NAME).write_text(json.dumps({**pointer, **changed}))
    with pytest.raises(SnapshotDamagedError):
        read_pointer(tmp_path)


def test_a_note_as_long_as_its_field_is_taken(own_app):
    from payouts.texts import MESSAGE_CHARACTERS

    sent = own_app.post(
        "partner:p_4",
        "/portal/leads",
        {"email": "new@somebody.example", "note": "n" * MESSAGE_CHARACTERS},
    )
    assert sent.status_code == 303
