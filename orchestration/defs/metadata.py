"""Table metadata for assets: row counts and column schemas, read from DuckDB's catalogue."""

from collections.abc import Mapping
from typing import Any

import dagster as dg

from orchestration.night import Night
from orchestration.warehouse import open_working_file, row_counts, table_columns

WAREHOUSE_POOL = "warehouse_writer"


def key_of(relation: str) -> dg.AssetKey:
    """Asset key of `schema.table`: the same words as in the warehouse."""
    return dg.AssetKey(relation.split("."))


def table_metadata(night: Night, schemas: tuple[str, ...]) -> dict[str, Mapping[str, Any]]:
    """Dagster metadata per relation `schema.table`; views have columns but no row count."""
    with open_working_file(night.home) as connection:
        counts = row_counts(connection, schemas)
        columns = table_columns(connection, schemas)
    found: dict[str, Mapping[str, Any]] = {}
    for relation, described in columns.items():
        metadata: dict[str, Any] = {
            "dagster/column_schema": dg.TableSchema(
                columns=[dg.TableColumn(name=name, type=kind) for name, kind in described]
            )
        }
        if relation in counts:
            metadata["dagster/row_count"] = counts[relation]
        found[relation] = metadata
    return found
