"""A published snapshot with rows written by hand: every mart and export, with the columns of its
contract in dbt_project/models.

What does not belong here: rows of any one test, and expected values.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import yaml

from dashboards.snapshot import POINTER_NAME, serving_folder
from orchestration.dbt_runner import PROJECT_DIR

Rows = Mapping[str, Sequence[Mapping[str, Any]]]
AS_OF = date(2026, 2, 28)
PUBLISHED_AT = datetime(2026, 3, 1, 5, 30)
_METADATA = {
    "run_id": "tiny", "as_of": AS_OF, "published_at": PUBLISHED_AT, "programme_id": "t",
    "programme_name": "Tiny", "timezone": "UTC", "reporting_currency_code": "USD",
}  # fmt: skip


@cache
def contracts() -> Mapping[str, Mapping[str, str]]:
    """Columns with their types of every published table, by `schema.table`."""
    found: dict[str, Mapping[str, str]] = {}
    for schema in ("marts", "exports"):
        for file in sorted((PROJECT_DIR / "models" / schema).rglob("*.yml")):
            for model in yaml.safe_load(file.read_text(encoding="utf-8")).get("models") or []:
                found[f"{schema}.{model['name']}"] = {
                    column["name"]: column["data_type"] for column in model["columns"]
                }
    return found


def publish_tiny(home: Path, rows: Rows, without: Collection[str] = ()) -> Path:
    """Publish a snapshot of AS_OF in a home that has none yet, and return the home.

    rows: by table, such as `marts.dim_partners`; columns that a row leaves out are null, those of
    integers 0. without: tables that it lacks, as a night had published it before they existed.
    """
    folder = serving_folder(home)
    folder.mkdir(parents=True)
    with duckdb.connect(str(folder / "tiny.duckdb")) as connection:
        connection.execute("create schema marts; create schema exports")
        for table, columns in contracts().items():
            if table in without:
                continue
            written = ", ".join(f'"{name}" {kind}' for name, kind in columns.items())
            connection.execute(f"create table {table} ({written})")
            _insert(connection, table, columns, rows.get(table, ()))
        if "marts.mart_metadata" not in rows:
            table = "marts.mart_metadata"
            _insert(connection, table, contracts()[table], [_METADATA])
    unknown = sorted(rows.keys() - contracts().keys())
    assert not unknown, f"no such tables: {unknown}"
    pointer = {
        "path": "tiny.duckdb", "run_id": "tiny", "as_of": AS_OF.isoformat(),
        "published_at": f"{PUBLISHED_AT.isoformat()}Z", "sha256": "0" * 64,
        "terms_hash": "0" * 64, "journal_head": "0" * 64,
    }  # fmt: skip
    (folder / POINTER_NAME).write_text(json.dumps(pointer), encoding="utf-8")
    return home


def _insert(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    columns: Mapping[str, str],
    rows: Sequence[Mapping[str, Any]],
) -> None:
    for row in rows:
        unknown = sorted(row.keys() - columns.keys())
        assert not unknown, f"{table} has no columns {unknown}"
        values = [row.get(name, 0 if kind == "bigint" else None) for name, kind in columns.items()]
        marks = ", ".join("?" for _ in columns)
        connection.execute(f"insert into {table} values ({marks})", values)
