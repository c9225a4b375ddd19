"""Whole nights through Dagster on a programme whose cents are worked out in `tiny`."""

import json
import shutil
import threading
from dataclasses import replace
from datetime import date, datetime

import duckdb
import pytest
from conftest import FIRST_DATE

from dashboards.snapshot import open_snapshot, read_pointer
from orchestration import reconciliation
from orchestration.clock import utc_now
from orchestration.defs.export import approved_batches
from orchestration.errors import (
    ChecksFailedError,
    DiskFullError,
    NightBusyError,
    PublishError,
    StreamsFailedError,
    UndeclaredSourceError,
)
from orchestration.lock import NightLock
from orchestration.night import Night, run_night
from orchestration.result import STEPS
from payouts.approvals import approve
from payouts.errors import NightOrderError, StoreError
from payouts.store import open_store
from payouts.terms import approval_rules
from program.load import load_workspace
from tests.compiled import run_compiled_night

pytestmark = pytest.mark.e2e
# On the morning after the night of 1 March.
DECIDED_AT = datetime(2026, 3, 2, 9)


def copy_home(tiny, tmp_path):
    """A home and workspace of its own, so that a test may change them."""
    root = tmp_path / "copy"
    shutil.copytree(tiny.workspace, root / "workspace")
    shutil.copytree(tiny.home, root / "var")
    return root / "workspace", root / "var"


def entries(home):
    with open_snapshot(home) as connection:
        return connection.execute(
            "select entry_kind, component_id, payout_amount_minor, effective_date, available_date "
            "from marts.fct_commission_entries where entry_kind <> 'payout' order by all"
        ).fetchall()


def mart_rows(home):
    """Every published table as sorted text, without what names the run itself."""
    with open_snapshot(home) as connection:
        tables = connection.execute(
            "select table_schema || '.' || table_name from information_schema.tables "
            "where table_name <> 'mart_metadata' order by 1"
        ).fetchall()
        return {
            table: sorted(map(str, connection.execute(f"from {table}").fetchall()))
            for (table,) in tables
        }


def approve_batch(workspace, home, batch):
    """Ana for partnerships, Ben for finance, on the hash that was proposed."""
    rules = approval_rules(load_workspace(workspace))
    store = open_store(home)
    for actor, role in (("ana@tiny.example", "partnerships"), ("ben@tiny.example", "finance")):
        approve(
            store,
            home,
            batch.batch_id,
            approved_hash=batch.content_hash,
            actor=actor,
            role=role,
            rules=rules,
            recorded_at=DECIDED_AT,
        )
    store.close()


def export_through_dagster(workspace, home, batch_id):
    """Metadata of the export asset, materialised twice; the caller sets the clock."""
    import dagster as dg

    from orchestration.defs.export import payout_batch_export
    from orchestration.defs.resources import HomeResource

    found = []
    for _ in range(2):
        result = dg.materialize(
            [payout_batch_export],
            resources={"home": HomeResource(workspace_path=str(workspace), home=str(home))},
            run_config={"ops": {"payout_batch_export": {"config": {"batch_id": batch_id}}}},
        )
        (event,) = result.asset_materializations_for_node("payout_batch_export")
        found.append(event.metadata)
    return found


def test_first_night_posts_the_cents_worked_out_by_hand(tiny):
    assert tiny.first.posted_rows == 3
    assert tiny.first.run_id == "2026-02-10-0001"
    assert entries(tiny.home) == [
        ("earning", "demo-bounty", 5000, date(2026, 1, 10), date(2026, 2, 9)),
        ("earning", "recurring", 2000, date(2026, 1, 15), date(2026, 2, 14)),
        ("refund", "recurring", -500, date(2026, 2, 1), date(2026, 2, 14)),
    ]
    with open_snapshot(tiny.home) as connection:
        balance = connection.execute(
            "select partner_id, balance_amount_minor from marts.fct_partner_balances"
        ).fetchall()
    assert balance == [("p1", 6500)]


def test_first_night_reports_every_step(tiny):
    assert set(tiny.first.seconds) == set(STEPS)
    assert {progress.step for progress in tiny.progress} == set(STEPS)
    assert any(progress.total for progress in tiny.progress if progress.step == "dbt_facts")
    assert [check.name for check in tiny.first.checks_failed if check.is_blocking] == []


def test_first_night_leaves_no_personal_record_in_the_snapshot(tiny):
    for published in (tiny.home / "serving").rglob("*"):
        if published.is_file():
            assert b"eve@buyer.example" not in published.read_bytes()
    logs = "".join(path.read_text() for path in (tiny.home / "logs").glob("*.log"))
    assert "eve@buyer.example" not in logs


def test_same_night_again_posts_nothing_and_publishes_identical_marts(tiny, tmp_path):
    workspace, home = copy_home(tiny, tmp_path)
    before = mart_rows(home)
    shutil.rmtree(home / "warehouse")
    reader = open_snapshot(home)
    readings, stop = [], threading.Event()

    def read_all_night():
        while not stop.wait(0.05):
            query = "select sum(payout_amount_minor) from marts.fct_commission_entries"
            readings.append(reader.execute(query).fetchone()[0])

    watcher = threading.Thread(target=read_all_night)
    watcher.start()
    try:
        again = run_compiled_night(workspace, home, FIRST_DATE)
    finally:
        stop.set()
        watcher.join()
        reader.close()
    assert again.posted_rows == 0
    assert again.run_id == "2026-02-10-0002"
    assert mart_rows(home) == before
    assert read_pointer(home).run_id == again.run_id
    assert len(readings) > 10
    assert set(readings) == {6500}


def test_later_night_proposes_the_batch_that_is_due(tiny, tmp_path, monkeypatch):
    workspace, home = copy_home(tiny, tmp_path)
    later = run_compiled_night(workspace, home, date(2026, 3, 1))
    assert later.posted_rows == 0
    assert [
        (batch.total_amount_minor, batch.currency_code, batch.pay_date, batch.cutoff_date)
        for batch in later.batches
    ] == [(6500, "USD", date(2026, 3, 16), date(2026, 2, 28))]
    with open_snapshot(home) as connection:
        rows = connection.execute(
            "select state, items, total_amount_minor from marts.fct_payout_batches"
        ).fetchall()
    assert rows == [("proposed", 1, 6500)]
    with pytest.raises(NightOrderError, match="2026-03-01"):
        run_night(workspace, home, FIRST_DATE)

    batch_id = later.batches[0].batch_id
    day = date(2026, 3, 2)
    assert approved_batches(home, day) == []
    approve_batch(workspace, home, later.batches[0])
    ((found, run_key),) = approved_batches(home, day)
    assert (found, run_key.split(":")[1]) == (batch_id, later.batches[0].content_hash)
    monkeypatch.setattr("orchestration.defs.export.utc_now", lambda: DECIDED_AT)
    first, again = export_through_dagster(workspace, home, batch_id)
    assert first["is_new"].value is True
    assert again["is_new"].value is False
    assert first["file_sha256"] == again["file_sha256"]
    assert first["total_amount_minor"].value == 6500
    assert approved_batches(home, day) == []


def test_second_run_at_the_same_time_is_refused_at_once(tiny):
    holder = NightLock(tiny.home)
    holder.acquire(datetime(2026, 2, 11, 2, 0))
    try:
        with pytest.raises(NightBusyError, match="Another night is running"):
            run_night(tiny.workspace, tiny.home, FIRST_DATE)
    finally:
        holder.release()


def test_failed_stream_stops_before_posting_and_keeps_what_landed(tiny, tmp_path):
    workspace, home = copy_home(tiny, tmp_path)
    before = read_pointer(home)
    (workspace / "drop/invoices-2.csv").write_bytes(b"\x00\xff not a table")
    (workspace / "drop/refunds-2.csv").write_text(
        "refund_id,invoice_id,amount_minor,refunded_at\n"
        "r2,i1,ten,2026-02-02T00:00:00Z\n"
        "r3,i1,2500,2026-02-03T00:00:00Z\n"
    )
    with pytest.raises(StreamsFailedError) as failure:
        run_night(workspace, home, FIRST_DATE)
    text = str(failure.value)
    assert "\n" not in text
    assert "invoices" in text
    assert "nothing was posted" in text
    assert read_pointer(home) == before

    # The refunds landed: their good row is posted by the next night, the malformed one is told.
    (workspace / "drop/invoices-2.csv").unlink()
    night = run_compiled_night(workspace, home, FIRST_DATE)
    assert [(total.entry_kind, total.payout_amount_minor) for total in night.posted_totals] == [
        ("refund", -500)
    ]
    with open_snapshot(home) as connection:
        kinds = connection.execute("select distinct kind from marts.fct_exceptions").fetchall()
    assert kinds


def test_blocking_check_keeps_the_last_snapshot_and_names_the_key(tiny, tmp_path, monkeypatch):
    workspace, home = copy_home(tiny, tmp_path)
    before = read_pointer(home)
    broken = tuple(
        replace(item, differences="select 'p1' as partner_id")
        if item.name == "balances_tie_to_journal"
        else item
        for item in reconciliation.RECONCILIATIONS
    )
    monkeypatch.setattr(reconciliation, "RECONCILIATIONS", broken)
    with pytest.raises(ChecksFailedError) as failure:
        run_compiled_night(workspace, home, FIRST_DATE)
    text = str(failure.value)
    assert "reconcile__balances_tie_to_journal" in text
    assert "p1" in text
    assert "\n" not in text
    assert read_pointer(home) == before

    # Nor can the snapshot be published alone from what failed.
    night = Night.open(workspace, home, FIRST_DATE, utc_now)
    try:
        with pytest.raises(PublishError, match="has not passed mart checks"):
            night.publish()
    finally:
        night.close()
    assert read_pointer(home) == before


def test_full_disk_at_publish_is_one_line_and_the_next_night_just_works(
    tiny, tmp_path, monkeypatch
):
    workspace, home = copy_home(tiny, tmp_path)
    before = read_pointer(home)

    def full(*arguments, **options):
        raise duckdb.IOException("IO Error: Could not write file: No space left on device")

    monkeypatch.setattr("orchestration.night.publish", full)
    with pytest.raises(DiskFullError, match="is full"):
        run_compiled_night(workspace, home, FIRST_DATE)
    monkeypatch.undo()
    assert read_pointer(home) == before
    night = run_compiled_night(workspace, home, FIRST_DATE)
    assert night.posted_rows == 0
    assert read_pointer(home).run_id == night.run_id


def test_steps_alone_refuse_a_working_file_of_another_date(tiny, tmp_path):
    workspace, home = copy_home(tiny, tmp_path)
    night = Night.open(workspace, home, date(2026, 2, 11), lambda: datetime(2026, 2, 12))
    try:
        with pytest.raises(Exception, match="prepared for 2026-02-10"):
            night.post()
    finally:
        night.close()


def test_dagster_keeps_the_run_with_its_checks(tiny):
    import dagster as dg

    from orchestration.in_process import home_instance

    instance = home_instance(tiny.home)
    try:
        (run,) = instance.get_runs(limit=1)
        assert run.job_name == "nightly"
        assert run.status == dg.DagsterRunStatus.SUCCESS
        events = instance.all_logs(run.run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION)
        names = {event.dagster_event.event_specific_data.check_name for event in events}
        assert "reconcile__journal_ties_to_desired" in names
        assert "gx_program__components__rate_is_a_fraction" in names
        assert any(not name.startswith(("gx_", "reconcile_")) for name in names)
        assert instance.telemetry_enabled is False
        snapshot = instance.get_latest_materialization_event(dg.AssetKey("serving_snapshot"))
        assert snapshot.asset_materialization.metadata["run_id"].value == tiny.first.run_id
    finally:
        instance.dispose()


def test_pointer_is_plain_json_for_other_readers(tiny):
    pointer = json.loads((tiny.home / "serving/current.json").read_text())
    assert (tiny.home / "serving" / pointer["path"]).exists()
    assert pointer["as_of"] == "2026-02-10"


def test_source_dropped_from_sources_stops_before_anything_is_taken_back(tiny, tmp_path):
    workspace, home = copy_home(tiny, tmp_path)
    (workspace / "sources.yml").write_text(
        "sources: {other: {kind: files, path: elsewhere}}\n", encoding="utf-8"
    )
    (workspace / "elsewhere").mkdir()
    night = Night.open(workspace, home, FIRST_DATE, utc_now)
    try:
        night.ingest()
        with pytest.raises(UndeclaredSourceError, match="drop .*Declare drop in sources.yml again"):
            night.prepare()
    finally:
        night.close()


def test_lost_control_database_is_refused_before_anything_is_posted_again(tiny, tmp_path):
    workspace, home = copy_home(tiny, tmp_path)
    (home / "batches" / "b-1").mkdir(parents=True)
    for leftover in home.glob("control.sqlite*"):
        leftover.unlink()
    with pytest.raises(StoreError, match="restore the control database from its backup"):
        Night.open(workspace, home, FIRST_DATE, utc_now)
