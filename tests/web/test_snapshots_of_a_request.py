"""Each request sees one snapshot; a night that publishes meanwhile disturbs nobody."""

from __future__ import annotations

import json
import os
import shutil
import threading
from pathlib import Path

import duckdb
import pytest

from dashboards.errors import SnapshotMissingError
from dashboards.snapshot import POINTER_NAME, serving_folder
from dashboards.snapshots import Snapshots


def publish(home: Path, number: int) -> None:
    """A snapshot whose two tables hold the same number, and the pointer to it."""
    folder = serving_folder(home)
    folder.mkdir(parents=True, exist_ok=True)
    name = f"wh-{number}.duckdb"
    with duckdb.connect(str(folder / f".{name}")) as connection:
        connection.execute("create schema marts")
        connection.execute(f"create table marts.one as select {number} as number")
        connection.execute(f"create table marts.other as select {number} as number")
    os.replace(folder / f".{name}", folder / name)
    pointer = {
        "path": name, "run_id": name, "as_of": "2026-02-28", "published_at": "2026-03-01T05:00:00",
        "sha256": "", "terms_hash": "", "journal_head": "",
    }  # fmt: skip
    part = folder / ".pointer"
    part.write_text(json.dumps(pointer))
    os.replace(part, folder / POINTER_NAME)
    for old in range(number - 1):
        (folder / f"wh-{old}.duckdb").unlink(missing_ok=True)


def numbers(cursor) -> set[int]:
    return {
        cursor.execute(f"select number from marts.{table}").fetchone()[0]
        for table in ("one", "other", "one")
    }


def test_a_request_keeps_its_snapshot(tmp_path):
    publish(tmp_path, 1)
    snapshots = Snapshots(tmp_path)
    pointer, cursor = snapshots.current()
    for number in range(2, 6):
        publish(tmp_path, number)
        _, newer = snapshots.current()
        assert numbers(newer) == {number}
        newer.close()
    # Its file was replaced, forgotten and deleted since.
    assert not (serving_folder(tmp_path) / pointer.path).exists()
    assert numbers(cursor) == {1}
    cursor.close()
    snapshots.close()


def test_nights_that_publish_under_load_cause_no_error(tmp_path):
    publish(tmp_path, 1)
    snapshots = Snapshots(tmp_path)
    stop, faults, seen = threading.Event(), [], set()

    def ask() -> None:
        while not stop.is_set():
            try:
                _, cursor = snapshots.current()
                found = numbers(cursor)
                cursor.close()
                if len(found) != 1:
                    faults.append(f"one request saw {found}")
                seen.update(found)
            except Exception as error:  # noqa: BLE001  (whatever it is, it is a fault)
                faults.append(repr(error))
                return

    readers = [threading.Thread(target=ask) for _ in range(4)]
    for reader in readers:
        reader.start()
    for number in range(2, 30):
        publish(tmp_path, number)
    stop.set()
    for reader in readers:
        reader.join()
    snapshots.close()
    assert faults == []
    assert len(seen) > 1


def test_a_snapshot_may_be_opened_beside_the_app(tmp_path):
    """Decisions open the same file in the same process with settings of their own."""
    publish(tmp_path, 1)
    snapshots = Snapshots(tmp_path)
    _, cursor = snapshots.current()
    with duckdb.connect(str(serving_folder(tmp_path) / "wh-1.duckdb"), read_only=True) as other:
        assert other.execute("select number from marts.one").fetchone() == (1,)
    assert numbers(cursor) == {1}
    snapshots.close()


def test_pages_cannot_leave_their_snapshot(tmp_path):
    publish(tmp_path, 1)
    secret = tmp_path / "secret.csv"
    secret.write_text("a\n1\n")
    snapshots = Snapshots(tmp_path)
    _, cursor = snapshots.current()
    for statement in (
        f"select * from read_csv('{secret}')",
        f"attach '{secret}' as other",
        f"copy (select 1) to '{tmp_path / 'out.csv'}'",
        "set enable_external_access = true",
        "create table marts.more as select 1 as number",
    ):
        with pytest.raises(duckdb.Error):
            cursor.execute(statement)
    snapshots.close()


def test_before_the_first_night(tmp_path):
    with pytest.raises(SnapshotMissingError):
        Snapshots(tmp_path).current()


def test_pages_say_that_no_night_has_published(own_home, tmp_path):
    from tests.web_app import ANA, web_app

    shutil.rmtree(own_home / "serving")
    with web_app(own_home) as app:
        for path in ("/approvals", "/disputes"):
            assert app.client(ANA).get(path).status_code in (200, 503)
        answer = app.client(ANA).get("/payees")
    assert answer.status_code == 503
    assert "partnerledger run" in answer.text
