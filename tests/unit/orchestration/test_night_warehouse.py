"""The working file: from scratch, UTC, limited, readable by the next DuckDB."""

from datetime import date

import duckdb
import pyarrow
import pytest

from orchestration import warehouse
from orchestration.errors import DiskFullError, SettingError, WarehouseError


def test_working_file_has_portable_storage_and_utc(tmp_path):
    warehouse.create_working_file(tmp_path)
    with warehouse.open_working_file(tmp_path) as connection:
        zone = connection.execute("select current_setting('TimeZone')").fetchone()[0]
        tags = connection.execute(
            "select tags from duckdb_databases() where database_name = 'partnerledger'"
        ).fetchone()[0]
    assert zone == "UTC"
    assert tags["storage_version"].startswith("v1.5.0")


def test_working_file_created_again_is_empty(tmp_path):
    warehouse.create_working_file(tmp_path)
    with warehouse.open_working_file(tmp_path) as connection:
        connection.execute("create table raw.kept as select 1 as one")
    warehouse.create_working_file(tmp_path)
    with warehouse.open_working_file(tmp_path) as connection:
        assert warehouse.row_counts(connection, ("raw",)) == {}


def test_working_file_damaged_is_rebuilt(tmp_path):
    path = warehouse.working_file(tmp_path)
    path.parent.mkdir(parents=True)
    path.write_bytes(b"not a database" * 400)
    warehouse.create_working_file(tmp_path)
    with warehouse.open_working_file(tmp_path) as connection:
        assert connection.execute("select 1").fetchone() == (1,)


def test_working_file_missing_says_what_to_do(tmp_path):
    missing = pytest.raises(WarehouseError, match="partnerledger run")
    with missing, warehouse.open_working_file(tmp_path):
        pass


def test_raw_tables_come_from_arrow_and_replace(tmp_path):
    warehouse.create_working_file(tmp_path)
    day = pyarrow.array([date(2026, 3, 1)])
    tables = {"program__run": pyarrow.table({"as_of": day, "run_id": ["2026-03-01-0001"]})}
    with warehouse.open_working_file(tmp_path) as connection:
        with pytest.raises(WarehouseError, match="raw"):
            warehouse.prepared_for(connection)
        warehouse.create_raw_tables(connection, tables)
        warehouse.create_raw_tables(connection, tables)
        assert warehouse.prepared_for(connection) == (date(2026, 3, 1), "2026-03-01-0001")
        assert warehouse.row_counts(connection, ("raw",)) == {"raw.program__run": 1}
        assert warehouse.table_columns(connection, ("raw",))["raw.program__run"] == [
            ("as_of", "DATE"),
            ("run_id", "VARCHAR"),
        ]


def test_limits_follow_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv(warehouse.MEMORY_LIMIT_VARIABLE, "512MiB")
    monkeypatch.setenv(warehouse.THREADS_VARIABLE, "1")
    monkeypatch.setenv(warehouse.TEMP_SIZE_VARIABLE, "1GB")
    warehouse.create_working_file(tmp_path)
    with warehouse.open_working_file(tmp_path) as connection:
        settings = dict(
            connection.execute(
                "select name, value from duckdb_settings() "
                "where name in ('memory_limit', 'threads')"
            ).fetchall()
        )
    assert settings == {"memory_limit": "512.0 MiB", "threads": "1"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        (warehouse.MEMORY_LIMIT_VARIABLE, "lots"),
        (warehouse.TEMP_SIZE_VARIABLE, "4'; drop"),
        (warehouse.THREADS_VARIABLE, "0"),
    ],
)
def test_limits_malformed_name_their_variable(tmp_path, monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingError, match=name):
        warehouse.engine_limits(tmp_path)


def test_free_space_too_small_is_refused_before_writing(tmp_path, monkeypatch):
    monkeypatch.setattr(warehouse, "free_bytes", lambda home: 1024)
    with pytest.raises(DiskFullError, match="nothing was changed"):
        warehouse.require_free_space(tmp_path / "home")
    assert not (tmp_path / "home").exists()


def test_working_file_opened_twice_in_one_process_sees_one_database(tmp_path):
    warehouse.create_working_file(tmp_path)
    with warehouse.open_working_file(tmp_path) as connection:
        connection.execute("create table raw.one as select 1 as one")
        with duckdb.connect(str(warehouse.working_file(tmp_path))) as other:
            assert other.execute("select one from raw.one").fetchone() == (1,)
