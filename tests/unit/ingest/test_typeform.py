"""Form responses over HTTP: bounds, pages by token, sweeps, and a server that misbehaves."""

from datetime import datetime, timedelta
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest

from ingest.landing import read_landings
from ingest.pull import PullOptions
from tests.fakes.typeform_server import FakeTypeform, Fault, refusal, response

TOKEN = "tfp_do_not_tell"
PATH = "/forms/demo/responses"
NOW = datetime(2026, 3, 1, 2, 0)
NIGHTS = [NOW + timedelta(days=day) for day in range(40)]
PERSON = "person@example.com"


def responses(count: int, first: int = 0) -> list[dict[str, Any]]:
    """Newest first, an hour apart, the newest at 2026-02-28T20:00:00Z."""
    newest = datetime(2026, 2, 28, 20)
    return [
        response(first + number, f"{newest - timedelta(hours=number):%Y-%m-%dT%H:%M:%SZ}")
        for number in range(count)
    ]


@pytest.fixture
def fake():
    with FakeTypeform(forms={"demo": responses(12)}, page_cap=5) as running:
        yield running


@pytest.fixture
def forms(night, fake, monkeypatch):
    """A night with one Typeform source against the fake."""
    monkeypatch.setenv("TEST_TYPEFORM_TOKEN", TOKEN)
    settings = SimpleNamespace(
        kind="typeform",
        base_url=fake.base_url,
        token_env="TEST_TYPEFORM_TOKEN",
        streams=("responses",),
        forms=("demo",),
        timeout_seconds=5,
        overlap_hours=2,
        sweep_days=30,
    )
    night.sources = {"forms": settings}
    return night


def small_parts(monkeypatch) -> None:
    monkeypatch.setattr("ingest.run.PullOptions", partial(PullOptions, part_pages=1))


def asked(fake) -> list[dict[str, str]]:
    """Parameters of each request beside those that never change."""
    same = {"page_size": "1000", "response_type": "completed"}
    return [{k: v for k, v in each.params.items() if same.get(k) != v} for each in fake.log]


def tokens(night, where: str = "true") -> set[str]:
    return {
        row[0] for row in night.rows(f"select object_id from raw.typeform__responses where {where}")
    }


def test_first_pull_reads_every_page_by_token(forms, fake) -> None:
    report = forms.stream("responses")
    assert (report.status, report.rows_landed, report.pages, report.mode) == ("ok", 12, 3, "full")
    assert asked(fake) == [{}, {"before": "tok00004"}, {"before": "tok00009"}]
    assert fake.log[0].headers["Authorization"] == f"Bearer {TOKEN}"
    assert forms.rows(
        "select object_id, parent_id, payload ->> '$.answers[0].email', is_tombstone"
        " from raw.typeform__responses order by _row limit 1"
    ) == [("tok00000", "demo", "person0@corp.example", False)]


def test_second_pull_asks_from_the_first_ones_upper_bound_less_the_overlap(forms, fake) -> None:
    forms.run(now=NIGHTS[0])
    fake.log.clear()
    fake.forms["demo"].insert(0, response(100, "2026-03-01T00:30:00Z"))
    fake.forms["demo"].insert(0, response(101, "2026-03-01T09:00:00Z"))
    report = forms.stream("responses", now=NIGHTS[1])
    assert asked(fake) == [{"since": "2026-03-01T00:00:00"}]
    assert (report.mode, report.rows_landed) == ("changes", 2)
    assert forms.stream("responses", now=NIGHTS[2]).status == "unchanged"


def test_later_pages_end_where_responses_are_older_than_the_bound(forms, fake) -> None:
    forms.run(now=NIGHTS[0])
    fake.log.clear()
    fake.forms["demo"][:0] = [response(200 - n, f"2026-03-01T1{9 - n}:00:00Z") for n in range(7)]
    assert forms.stream("responses", now=NIGHTS[1]).rows_landed == 7
    assert asked(fake) == [{"since": "2026-03-01T00:00:00"}, {"before": "tok00196"}] + [
        {"before": "tok00002"}
    ]


def test_ties_longer_than_a_page_lose_nothing(forms, fake) -> None:
    forms.run(now=NIGHTS[0])
    same = "2026-03-01T12:00:00Z"
    fake.forms["demo"][:0] = [response(300 + number, same) for number in range(13)]
    assert forms.stream("responses", now=NIGHTS[1]).rows_landed == 13


def test_responses_inserted_while_paging_lose_nothing(forms, fake) -> None:
    newest = response(400, "2026-03-01T01:59:00Z")
    insert = Fault(before=lambda: fake.forms["demo"].insert(0, newest))
    fake.script[PATH] = [Fault(), insert]
    assert forms.stream("responses", now=NIGHTS[0]).rows_landed == 12
    assert forms.stream("responses", now=NIGHTS[1]).rows_landed == 1
    assert len(tokens(forms)) == 13


def test_responses_given_twice_count_once(forms, fake) -> None:
    fake.forms["demo"][5:5] = fake.forms["demo"][3:5]
    fake.page_cap = 1000
    forms.run()
    assert len(tokens(forms)) == 12


def test_form_added_later_is_read_from_its_beginning_and_others_are_not(forms, fake) -> None:
    forms.run(now=NIGHTS[0])
    fake.log.clear()
    fake.forms["contact"] = responses(3, first=500)
    forms.sources["forms"].forms = ("demo", "contact")
    report = forms.stream("responses", now=NIGHTS[1])
    assert report.rows_landed == 3
    assert "1 new forms read whole" in report.message
    assert asked(fake) == [{"since": "2026-03-01T00:00:00"}, {}]


def test_sweep_makes_tombstones_of_deleted_responses(forms, fake) -> None:
    forms.run(now=NIGHTS[0])
    del fake.forms["demo"][7]
    assert forms.stream("responses", now=NIGHTS[29]).mode == "changes"
    report = forms.stream("responses", now=NIGHTS[31])
    assert (report.mode, report.rows_landed) == ("full", 1)
    assert "1 vanished" in report.message
    assert tokens(forms, "is_tombstone") == {"tok00007"}


def test_sweep_never_comes_when_it_is_off(forms, fake) -> None:
    forms.sources["forms"].sweep_days = 0
    forms.run(now=NIGHTS[0])
    assert forms.stream("responses", now=NOW + timedelta(days=900)).mode == "changes"


def test_responses_of_a_form_no_longer_configured_stay(forms, fake) -> None:
    fake.forms["contact"] = responses(9, first=500)
    forms.sources["forms"].forms = ("demo", "contact")
    forms.run(now=NIGHTS[0])
    forms.sources["forms"].forms = ("demo",)
    report = forms.stream("responses", now=NIGHTS[31])
    assert (report.mode, report.status) == ("full", "unchanged")
    assert tokens(forms, "is_tombstone") == set()


def test_sweep_that_is_far_shorter_is_refused(forms, fake) -> None:
    forms.run(now=NIGHTS[0])
    del fake.forms["demo"][4:]
    assert "last time it had 12" in forms.stream("responses", now=NIGHTS[31]).message
    assert forms.stream("responses", now=NIGHTS[31], accept_fewer=True).rows_landed == 8


def test_killed_pull_goes_on_with_its_token_and_loses_nothing(forms, fake, monkeypatch) -> None:
    small_parts(monkeypatch)
    fake.script[PATH] = [Fault(), Fault()] + [refusal(500) for _ in range(5)]
    report = forms.stream("responses")
    assert (report.status, report.is_transient) == ("failed", True)
    assert tokens(forms) == set()
    fake.log.clear()
    fake.forms["demo"].insert(0, response(600, "2026-03-01T02:30:00Z"))
    report = forms.stream("responses", now=NOW + timedelta(minutes=30))
    assert asked(fake) == [{"before": "tok00009"}]
    assert (report.rows_landed, report.last_arrival) == (12, 1)
    fake.log.clear()
    assert forms.stream("responses", now=NIGHTS[1]).rows_landed == 1
    assert asked(fake) == [{"since": "2026-03-01T00:00:00"}]


def test_killed_pull_of_other_forms_is_begun_anew(forms, fake, monkeypatch) -> None:
    small_parts(monkeypatch)
    fake.script[PATH] = [Fault()] + [refusal(500) for _ in range(5)]
    forms.run()
    fake.forms["contact"] = responses(2, first=500)
    forms.sources["forms"].forms = ("contact", "demo")
    assert forms.stream("responses").rows_landed == 14
    assert [each.is_abandoned for each in read_landings(forms.home)] == [True, False]


def test_pages_that_repeat_are_an_error_instead_of_a_loop(forms, fake) -> None:
    fake.ignore_before = True
    assert "repeats earlier pages" in forms.stream("responses").message
    assert len(fake.log) == 2


@pytest.mark.parametrize(
    "fault",
    [
        refusal(429, Retry_After="7"),
        refusal(429),
        refusal(500),
        Fault(truncate=True),
        Fault(body=b"<html>"),
        Fault(body=b'{"items": [{"submitted_at": "2026-01-01T00:00:00Z"}]}'),
    ],
    ids=["429 with wait", "429", "500", "truncated", "no JSON", "no token"],
)
def test_passing_fault_is_survived(forms, fake, fault) -> None:
    fake.script[PATH] = [fault]
    assert forms.stream("responses").rows_landed == 12
    assert (7.0 in forms.pauses) == bool(fault.headers)


@pytest.mark.parametrize(("code", "told"), [(401, "not accepted"), (403, "may not read")])
def test_refused_token_fails_the_stream_without_telling_anything(
    forms, fake, caplog, code: int, told: str
) -> None:
    caplog.set_level("DEBUG")
    fake.script[PATH] = [refusal(code)]
    report = forms.stream("responses")
    assert (report.status, report.is_transient) == ("failed", False)
    assert told in report.message and "TEST_TYPEFORM_TOKEN" in report.what_to_do
    for secret in (TOKEN, PERSON, "corp.example"):
        assert secret not in caplog.text + str(report)


def test_form_that_is_gone_is_named(forms, fake) -> None:
    forms.sources["forms"].forms = ("demo", "gone")
    assert "/forms/gone/responses: status 404" in forms.stream("responses").message


def test_requests_keep_to_two_per_second(forms, fake) -> None:
    forms.run()
    assert len([pause for pause in forms.pauses if 0.3 < pause <= 0.5]) == 2
