"""Write one sample programme: volume from SQL, odd cases from the stories, one file per entity.

Only the order of steps and the writing of files belong here.
"""

import tempfile
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ingest.entities import ENTITIES
from ingest.sample import customers, funnel, invoices, people, takebacks
from ingest.sample import partners as partner_records
from ingest.sample.draws import Draws
from ingest.sample.errors import SampleError
from ingest.sample.fx import rate_rows
from ingest.sample.rows import create_text_table, insert_rows
from ingest.sample.sizes import Sizes
from ingest.sample.stories import LATE_FILES, make_stories

if TYPE_CHECKING:
    import duckdb

# Stories come after the volume of the same entity.
_STORY_ORDER = 1 << 60
_MEMORY_LIMIT = "4GB"
_ROW_GROUP_ROWS = 122_880
_FORMATS = {
    "csv": "format csv, header true",
    "parquet": f"format parquet, compression zstd, row_group_size {_ROW_GROUP_ROWS}",
}


@dataclass(frozen=True)
class SampleSummary:
    """Rows written per entity, in the order of the entities."""

    rows: dict[str, int]


def generate(
    directory: Path | str,
    *,
    seed: int,
    partners: int,
    leads: int,
    months: int,
    start: date,
    invoice_lines: int | None = None,
    format: Literal["csv", "parquet"] = "csv",
) -> SampleSummary:
    """Write drop files for every entity into a folder; the same arguments give the same bytes.

    directory: created when missing; files of the same names are replaced, and a folder that
    holds other drop files is refused, because the night would read both.
    months: length of the span from `start` (first of a month); all facts lie in it, in UTC.
    invoice_lines: aim, met to within one customer if the leads suffice; default what they give.
    All columns are text, also in Parquet, as the `files` source reads them.
    Raises: SampleError for sizes or a format that cannot be generated, or such a folder.
    """
    import duckdb

    if format not in _FORMATS:
        raise SampleError(f"format is {format!r}: give one of {', '.join(_FORMATS)}")
    sizes = Sizes(seed, partners, leads, months, start, invoice_lines)
    directory = Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    _refuse_other_files(directory, format)
    with tempfile.TemporaryDirectory() as spill, duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute("set enable_progress_bar = false")
        connection.execute(f"set memory_limit = '{_MEMORY_LIMIT}'")
        connection.execute(f"set temp_directory = '{spill}'")
        _create_volume(connection, sizes)
        _create_stories(connection, sizes)
        return SampleSummary(
            {entity: _write(connection, entity, directory, format) for entity in ENTITIES}
        )


def _refuse_other_files(directory: Path, file_format: str) -> None:
    """Raise SampleError if the folder holds drop files that this run would not replace."""
    written = {f"{name}.{file_format}" for name in (*ENTITIES, *LATE_FILES)}
    others = sorted(
        path.name
        for path in directory.iterdir()
        if path.name.replace(".", "-").partition("-")[0] in ENTITIES and path.name not in written
    )
    if others:
        raise SampleError(
            f"{directory} already holds {others[0]} ({len(others)} such files): "
            "give an empty folder, or remove them first"
        )


def _create_volume(connection: "duckdb.DuckDBPyConnection", sizes: Sizes) -> None:
    """Create the `bulk__` table of every entity."""
    draws = Draws(sizes.seed)
    _create_partners(connection, sizes)
    people.create_leads(connection, sizes, draws)
    people.create_companies(connection, draws)
    people.create_contacts(connection, sizes, draws)
    customers.create_customers(connection, sizes, draws)
    customers.create_customer_records(connection, sizes)
    funnel.create_touchpoints(connection, sizes, draws)
    funnel.create_forms(connection, sizes, draws)
    funnel.create_registrations(connection, sizes, draws)
    funnel.create_meetings(connection, draws)
    funnel.create_deals(connection, sizes, draws)
    funnel.create_product_events(connection, sizes, draws)
    invoices.create_invoices(connection, sizes, draws)
    takebacks.create_takebacks(connection, sizes, draws)
    takebacks.create_manual_rows(connection, draws)


def _create_partners(connection: "duckdb.DuckDBPyConnection", sizes: Sizes) -> None:
    """Create the tables whose rows are made in Python: partners, codes, products and rates."""
    made = partner_records.make_partners(sizes)
    connection.execute(
        "create table partner_core (rank BIGINT, partner_no BIGINT, partner_id VARCHAR, "
        "link_code VARCHAR, promotion_code VARCHAR, contact_name VARCHAR, partner_email VARCHAR, "
        "partner_domain VARCHAR, is_pilot BOOLEAN, joined_at DATE)"
    )
    insert_rows(connection, "partner_core", partner_records.core_rows(made))
    for entity, rows in (
        ("partners", partner_records.partner_rows(made)),
        ("partner_codes", partner_records.code_rows(made, sizes)),
        ("products", list(partner_records.PRODUCTS)),
        ("fx_rates", rate_rows(sizes)),
    ):
        create_text_table(connection, f"bulk__{entity}", ENTITIES[entity].column_names, rows)


def _create_stories(connection: "duckdb.DuckDBPyConnection", sizes: Sizes) -> None:
    """Create the `story__` tables, one per file, empty ones included."""
    stories = make_stories(sizes)
    for file_name in (*ENTITIES, *LATE_FILES):
        columns = ENTITIES[file_name.partition("-")[0]].column_names
        rows = stories.get(file_name, [])
        create_text_table(connection, _story_table(file_name), columns, rows)


def _story_table(file_name: str) -> str:
    return "story__" + file_name.replace("-", "__")


def _write(
    connection: "duckdb.DuckDBPyConnection", entity: str, directory: Path, file_format: str
) -> int:
    """Write the files of one entity, drop its tables, and return the number of rows."""
    selected = ", ".join(f'"{name}"::VARCHAR as "{name}"' for name in ENTITIES[entity].column_names)
    story_order = f"_order + {_STORY_ORDER} as _order"
    sources = {
        entity: f"(select {selected}, _order from bulk__{entity} union all "
        f"select {selected}, {story_order} from {_story_table(entity)})"
    }
    late = f"{entity}-late"
    if late in LATE_FILES:
        sources[late] = f"(select {selected}, _order from {_story_table(late)})"
    rows = 0
    for file_name, source in sources.items():
        path = str(directory / f"{file_name}.{file_format}").replace("'", "''")
        query = f"select * exclude (_order) from {source} order by _order"
        written = connection.execute(f"copy ({query}) to '{path}' ({_FORMATS[file_format]})")
        rows += written.fetchone()[0]
    connection.execute(f"drop table bulk__{entity}")
    return rows
