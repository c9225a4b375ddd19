"""Signals that the models found become holds of the control database, once."""

from datetime import datetime

import duckdb
import pytest

from orchestration.risk_holds import open_risk_holds
from payouts.holds import load_holds
from payouts.store import open_store

NOW = datetime(2026, 3, 2, 9)


@pytest.fixture
def store(tmp_path):
    opened = open_store(tmp_path, synchronous="OFF")
    yield opened
    opened.close()


def working_file(hold_from):
    connection = duckdb.connect(":memory:")
    connection.execute("create schema staging")
    connection.execute("create schema intermediate")
    connection.execute(f"create table staging.stg_program__risk as select '{hold_from}' hold_from")
    connection.execute(
        "create table intermediate.int_risk__signals as select * from (values "
        "('fast_signup:p_2', 'fast_signup', 'medium', 'partner', 'p_2', '4 s after the click'), "
        "('burst:p_1', 'burst', 'high', 'partner', 'p_1', '31 leads in 24 h'), "
        "('shared:lead_7', 'shared_device', 'low', 'lead', 'lead_7', 'one device')) as "
        "signal(signal_id, kind, severity, subject_type, subject_id, evidence)"
    )
    return connection


@pytest.mark.parametrize(
    ("hold_from", "held"),
    [("high", ["burst:p_1"]), ("medium", ["burst:p_1", "fast_signup:p_2"]), ("never", [])],
)
def test_new_signals_from_the_configured_severity_on_open_a_hold_once(
    store, tmp_path, hold_from, held
):
    connection = working_file(hold_from)
    for _ in range(2):
        assert open_risk_holds(store, tmp_path, connection, NOW) == []
    with store.read() as control:
        assert [hold.signal_id for hold in load_holds(control)] == held


def test_missing_signals_stop_the_night(store, tmp_path):
    connection = working_file("high")
    connection.execute("drop table intermediate.int_risk__signals")
    with pytest.raises(duckdb.CatalogException, match="int_risk__signals"):
        open_risk_holds(store, tmp_path, connection, NOW)
