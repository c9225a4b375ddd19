"""Publishing: what readers get, what they never get, and what a reader notices meanwhile."""

import hashlib
import json
import stat
from datetime import date, datetime

import duckdb
import pytest

from dashboards.errors import SnapshotDamagedError, SnapshotMissingError
from dashboards.snapshot import open_snapshot, read_pointer
from orchestration.errors import PublishError
from orchestration.publish import publish
from orchestration.warehouse import create_working_file, open_working_file

AS_OF = date(2026, 3, 1)
PUBLISHED = datetime(2026, 3, 2, 2, 5, 0)


def build_working_file(home, amount_minor=1000):
    create_working_file(home)
    with open_working_file(home) as connection:
        connection.execute("create schema marts")
        connection.execute("create schema exports")
        connection.execute(
            "create table raw.files__partners as "
            "select 'p1' as partner_id, 'ann@x.example' as email"
        )
        connection.execute(
            f"create table marts.fct_amounts as select 'p1' as partner_id, {amount_minor} as "
            "balance_amount_minor"
        )
        connection.execute("create view exports.exp_amounts as from marts.fct_amounts")
        connection.execute(
            "create table marts.mart_metadata as select 'terms' as terms_hash, "
            "'head' as journal_head, null::timestamp as published_at"
        )


def amount(connection):
    return connection.execute("select balance_amount_minor from marts.fct_amounts").fetchone()[0]


def test_snapshot_holds_marts_and_exports_only(tmp_path):
    build_working_file(tmp_path)
    pointer = publish(tmp_path, "2026-03-01-0001", AS_OF, PUBLISHED)
    with open_snapshot(tmp_path) as connection:
        relations = connection.execute(
            "select table_schema || '.' || table_name from information_schema.tables order by 1"
        ).fetchall()
        stamped = connection.execute("select published_at from marts.mart_metadata").fetchone()
    assert [name for (name,) in relations] == [
        "exports.exp_amounts",
        "marts.fct_amounts",
        "marts.mart_metadata",
    ]
    assert stamped == (PUBLISHED,)
    published = tmp_path / "serving" / pointer.path
    assert b"ann@x.example" not in published.read_bytes()
    assert stat.S_IMODE(published.stat().st_mode) == 0o444
    assert hashlib.sha256(published.read_bytes()).hexdigest() == pointer.sha256
    assert (pointer.terms_hash, pointer.journal_head) == ("terms", "head")
    assert json.loads((tmp_path / "serving/current.json").read_text())["as_of"] == "2026-03-01"


def test_snapshot_tables_are_also_parquet(tmp_path):
    build_working_file(tmp_path)
    publish(tmp_path, "2026-03-01-0001", AS_OF, PUBLISHED)
    folder = tmp_path / "serving" / "2026-03-01-0001"
    assert sorted(path.name for path in folder.iterdir()) == [
        "fct_amounts.parquet",
        "mart_metadata.parquet",
    ]
    with duckdb.connect() as connection:
        rows = connection.execute(f"from '{folder}/fct_amounts.parquet'").fetchall()
    assert rows == [("p1", 1000)]


def test_open_reader_keeps_its_view_while_nights_publish_and_prune(tmp_path):
    build_working_file(tmp_path, 1)
    publish(tmp_path, "2026-03-01-0001", AS_OF, PUBLISHED)
    reader = open_snapshot(tmp_path)
    for sequence in (2, 3, 4):
        build_working_file(tmp_path, sequence)
        publish(tmp_path, f"2026-03-01-{sequence:04d}", AS_OF, PUBLISHED, keep=2)
        assert amount(reader) == 1
        with open_snapshot(tmp_path) as fresh:
            assert amount(fresh) == sequence
    reader.close()
    kept = sorted(path.name for path in (tmp_path / "serving").iterdir())
    assert kept == [
        "2026-03-01-0003",
        "2026-03-01-0003.duckdb",
        "2026-03-01-0004",
        "2026-03-01-0004.duckdb",
        "current.json",
    ]


def test_personal_column_in_a_mart_stops_the_publish(tmp_path):
    build_working_file(tmp_path)
    publish(tmp_path, "2026-03-01-0001", AS_OF, PUBLISHED)
    with open_working_file(tmp_path) as connection:
        connection.execute("create table marts.fct_leads as select 'ann@x.example' as email")
    with pytest.raises(PublishError, match=r"marts\.fct_leads\.email"):
        publish(tmp_path, "2026-03-01-0002", AS_OF, PUBLISHED)
    assert read_pointer(tmp_path).run_id == "2026-03-01-0001"


def test_same_run_is_never_published_twice(tmp_path):
    build_working_file(tmp_path)
    publish(tmp_path, "2026-03-01-0001", AS_OF, PUBLISHED)
    with pytest.raises(PublishError, match="already published"):
        publish(tmp_path, "2026-03-01-0001", AS_OF, PUBLISHED)


def test_leftovers_of_a_killed_publish_are_removed(tmp_path):
    build_working_file(tmp_path)
    serving = tmp_path / "serving"
    (serving / ".2026-03-01-0001.part").mkdir(parents=True)
    (serving / ".2026-03-01-0001.duckdb.part").write_bytes(b"half")
    (serving / "2026-03-01-0001").mkdir()
    publish(tmp_path, "2026-03-01-0001", AS_OF, PUBLISHED)
    assert not list(serving.glob(".*"))


def test_working_file_without_marts_is_not_published(tmp_path):
    create_working_file(tmp_path)
    with pytest.raises(PublishError, match="no marts"):
        publish(tmp_path, "2026-03-01-0001", AS_OF, PUBLISHED)


def test_snapshot_missing_says_what_to_do(tmp_path):
    with pytest.raises(SnapshotMissingError, match="partnerledger run"):
        open_snapshot(tmp_path)


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"path": "x"}'])
def test_pointer_damaged_says_what_to_do(tmp_path, text):
    (tmp_path / "serving").mkdir()
    (tmp_path / "serving/current.json").write_text(text)
    with pytest.raises(SnapshotDamagedError, match="partnerledger run"):
        open_snapshot(tmp_path)


def test_pointer_outside_the_folder_is_refused(tmp_path):
    build_working_file(tmp_path)
    publish(tmp_path, "2026-03-01-0001", AS_OF, PUBLISHED)
    pointer_file = tmp_path / "serving/current.json"
    pointer = json.loads(pointer_file.read_text()) | {"path": "../warehouse/partnerledger.duckdb"}
    pointer_file.write_text(json.dumps(pointer))
    with pytest.raises(SnapshotDamagedError, match="outside"):
        open_snapshot(tmp_path)


def test_snapshot_file_removed_says_what_to_do(tmp_path):
    build_working_file(tmp_path)
    publish(tmp_path, "2026-03-01-0001", AS_OF, PUBLISHED)
    (tmp_path / "serving/2026-03-01-0001.duckdb").unlink()
    with pytest.raises(SnapshotDamagedError, match="publish again"):
        open_snapshot(tmp_path)
