"""How long a run waits for a source in trouble."""

import pytest

from ingest.errors import UnreachableError
from ingest.http import MAXIMUM_TRIES
from ingest.patience import TRIES_IN_TROUBLE, Patience
from ingest.report import StreamReport


def failed(stream, **fields):
    return StreamReport("billing", stream, "failed", **fields)


def test_trouble_shortens_the_tries_and_a_success_restores_them() -> None:
    patience = Patience()
    assert patience.tries == MAXIMUM_TRIES
    patience.note(failed("customers", is_transient=True))
    assert patience.tries == TRIES_IN_TROUBLE
    patience.note(StreamReport("billing", "charges", "unchanged"))
    assert patience.tries == MAXIMUM_TRIES


def test_a_refusal_says_nothing_about_the_next_stream() -> None:
    patience = Patience()
    patience.note(failed("customers"))
    assert patience.tries == MAXIMUM_TRIES


def test_a_server_that_is_silent_to_two_streams_is_not_asked_by_the_others() -> None:
    patience = Patience()
    for stream in ("customers", "customers", "charges"):
        patience.require_answers("billing", stream)
        patience.note(failed(stream, is_transient=True, is_unreachable=True))
    with pytest.raises(UnreachableError, match="out of reach: see customers and charges") as caught:
        patience.require_answers("billing", "refunds")
    assert "sources.billing.base_url" in caught.value.what_to_do


def test_any_answer_ends_the_silence() -> None:
    patience = Patience()
    patience.note(failed("customers", is_transient=True, is_unreachable=True))
    patience.note(failed("charges", is_transient=True))
    patience.note(failed("refunds", is_transient=True, is_unreachable=True))
    patience.require_answers("billing", "disputes")


def test_an_ingest_of_a_dead_server_asks_two_streams_and_reports_all(
    night, stripe_settings, monkeypatch
) -> None:
    monkeypatch.setenv("TEST_STRIPE_KEY", "rk_test_1")
    streams = ("customers", "charges", "refunds", "disputes")
    settings = stripe_settings("http://127.0.0.1:9", streams=streams)
    settings.changes, settings.webhooks, settings.created_windows = "full_list", None, False
    night.sources = {"billing": settings}
    reports = {each.stream: each for each in night.run().streams}
    asked = [stream for stream, report in reports.items() if report.requests]
    assert len(reports) == 4
    assert len(asked) == 2
    assert all(each.is_unreachable and each.is_transient for each in reports.values())
