"""A night that went on without a stream: what is said of it, and when it fails after all."""

from datetime import date
from pathlib import Path
from types import SimpleNamespace

import pytest

from ingest.report import StreamReport
from orchestration.cli_summary import night_record, print_night
from orchestration.errors import StepError, StreamsFailedError
from orchestration.in_process import _raise_failure
from orchestration.result import NightResult

STALE = StreamReport(
    "billing",
    "balance_transactions",
    "failed",
    last_arrival=7,
    message="billing: GET /v1/balance_transactions: status 403: the key may not read this",
    what_to_do="Give the key in STRIPE_API_KEY read permission for it.",
)


def published(*stale):
    return NightResult(
        run_id="2026-02-28-0001",
        as_of=date(2026, 2, 28),
        home=Path("var"),
        streams=(StreamReport("drop", "partners", "ok", rows_landed=1), *stale),
        stale_streams=stale,
        posted_rows=0,
        posted_segment=None,
        posted_totals=(),
        batches=(),
        stale_batches=(),
        checks_failed=(),
        snapshot_path=Path("var/serving/2026-02-28-0001.duckdb"),
    )


def finished(*failed_steps):
    """A run of Dagster's in which these steps failed."""
    error = SimpleNamespace(message="refused", cause=None)
    events = [
        SimpleNamespace(
            is_step_failure=True, step_key=step, step_failure_data=SimpleNamespace(error=error)
        )
        for step in failed_steps
    ]
    return SimpleNamespace(success=not failed_steps, all_events=events)


def night(pointer="current", refuse=None):
    def require_streams():
        if refuse is not None:
            raise refuse

    landing = SimpleNamespace(require_streams=require_streams)
    return SimpleNamespace(failure=None, pointer=pointer, landing=landing, home=Path("var"))


def test_stale_stream_is_a_warning_with_what_to_do(capsys):
    print_night(published(STALE))
    text = " ".join(capsys.readouterr().out.split())
    assert "Warning: billing/balance_transactions was not read tonight" in text
    assert "no money depends on it" in text
    assert "Give the key in STRIPE_API_KEY read permission for it." in text
    print_night(published())
    assert "Warning" not in capsys.readouterr().out


def test_stale_stream_is_in_the_record():
    (record,) = night_record(published(STALE))["stale_streams"]
    assert record["stream"] == "balance_transactions"
    assert record["last_arrival"] == 7
    assert record["what_to_do"] == STALE.what_to_do


def test_a_published_night_outlives_the_failed_step_of_a_stream():
    _raise_failure(night(), finished("landing__billing__balance_transactions"))


def test_a_failed_stream_without_a_published_night_is_a_failure():
    with pytest.raises(StepError, match="landing__billing__customers"):
        _raise_failure(night(pointer=None), finished("landing__billing__customers"))


def test_any_other_failed_step_is_a_failure():
    with pytest.raises(StepError, match="raw_tables"):
        _raise_failure(night(), finished("landing__billing__balance_transactions", "raw_tables"))


def test_a_stream_the_money_needs_is_named_before_anything_of_dagsters():
    refuse = StreamsFailedError("Source billing, stream customers: refused")
    with pytest.raises(StreamsFailedError, match="stream customers"):
        _raise_failure(night(None, refuse), finished("landing__billing__customers"))
