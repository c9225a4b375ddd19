"""Errors of a night: one clear line, the rooms' own errors unchanged, and the clock's edge."""

import errno
from datetime import date, datetime
from pathlib import Path

import duckdb

from orchestration.clock import default_as_of
from orchestration.dbt_runner import NodeResult, failures, raise_for_failures
from orchestration.errors import DbtError, DiskFullError, OrchestrationError, StepError
from orchestration.failures import clear_error
from payouts.errors import NightOrderError

HOME = Path("/somewhere/var")


def node(name, status, resource_type="test", failing_rows=0, message=""):
    unique_id = f"{resource_type}.p.{name}"
    return NodeResult(unique_id, name, resource_type, status, failing_rows, message, 0.1, "q.sql")


def test_error_of_a_room_passes_unchanged():
    error = NightOrderError("the night cannot be posted")
    assert clear_error(error, "post", HOME) is error


def test_own_error_learns_its_step():
    error = DbtError("dbt failed", "Correct it.")
    assert clear_error(error, "dbt_facts", HOME) is error
    assert error.step == "dbt_facts"
    assert str(error) == "dbt failed. Correct it."


def test_full_disk_is_named_however_it_shows():
    full = OSError(errno.ENOSPC, "No space left on device")
    spilled = duckdb.IOException("IO Error: write failed: No space left on device")
    for error in (full, spilled):
        shown = clear_error(error, "publish", HOME)
        assert isinstance(shown, DiskFullError)
        assert "nothing is half-posted" in str(shown)


def test_out_of_memory_names_the_setting():
    shown = clear_error(duckdb.OutOfMemoryException("failed to allocate"), "dbt_facts", HOME)
    assert "PARTNERLEDGER_MEMORY_LIMIT" in str(shown)


def test_unforeseen_error_is_one_line_with_the_log():
    shown = clear_error(KeyError("a\nb"), "post", HOME)
    assert isinstance(shown, StepError)
    assert "\n" not in str(shown)
    assert "night.log" in str(shown)
    assert isinstance(shown, OrchestrationError)


def test_failing_dbt_test_names_rows_and_query():
    results = [node("ok", "ok"), node("sums_tie", "failed", failing_rows=3), node("b", "failed")]
    assert [result.name for result in failures(results)] == ["sums_tie", "b"]
    try:
        raise_for_failures(results, "dbt_ledger")
    except DbtError as error:
        assert "dbt test sums_tie found 3 failing rows" in str(error)
        assert "q.sql" in str(error)
        assert "1 more failed: b" in str(error)
        assert error.step == "dbt_ledger"


def test_dbt_warnings_and_skips_do_not_raise():
    raise_for_failures([node("a", "warn"), node("b", "skipped", "model")], "dbt_facts")


def test_default_date_is_yesterday_in_the_programmes_zone():
    late_evening_in_new_york = datetime(2026, 3, 2, 3, 0)
    assert default_as_of("America/New_York", late_evening_in_new_york) == date(2026, 2, 28)
    assert default_as_of("UTC", late_evening_in_new_york) == date(2026, 3, 1)
