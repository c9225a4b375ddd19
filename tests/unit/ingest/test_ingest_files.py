"""The drop folder: which files land, when again, in which order, and what is refused."""

import os
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pyarrow
import pytest
from pyarrow import parquet

from ingest.drop_names import arrival_order, entity_name
from ingest.errors import LandingBusyError, UnknownSourceError
from ingest.landing import LandingStore

PAYMENTS = "payment_id,invoice_id,amount_minor,paid_at\n"
A = PAYMENTS + "p1,i1,100,2026-01-01\n"
B = PAYMENTS + "p1,i1,200,2026-01-01\n"


def test_csv_lands_all_declared_columns_as_received_text(night) -> None:
    night.write(
        "invoices.csv",
        "invoice_id,customer_id,status,currency_code,issued_at,total_minor\n"
        "0012,c1, paid ,USD,2026-01-31T10:00:00+01:00,-5\n",
    )
    report = night.stream("invoices")
    assert (report.status, report.rows_landed, report.rows_rejected) == ("ok", 1, 0)
    assert night.rows(
        "select invoice_id, status, issued_at, total_minor, code, _source, _arrival, _row, _line,"
        " _file from raw.files__invoices"
    ) == [
        ("0012", "paid", "2026-01-31T10:00:00+01:00", "-5", None, "drop", 1, 1, 2, "invoices.csv")
    ]


def test_relations_of_every_entity_exist_in_an_empty_home(night) -> None:
    names = night.rows(
        "select table_name from information_schema.tables where table_schema = 'raw'"
    )
    by_kind = Counter(name.split("__")[0] for (name,) in names)
    assert by_kind == {
        "files": 21,
        "stripe": 16,
        "hubspot": 12,
        "typeform": 1,
        "calendly": 2,
        "google_calendar": 1,
        "ecb": 1,
        "ingest": 2,
    }
    assert night.rows("select count(*) from raw.files__touchpoints") == [(0,)]
    assert night.rows("select count(*) from raw.stripe__invoice_lines") == [(0,)]


def test_same_bytes_twice_is_unchanged_also_under_another_name(night) -> None:
    night.write("payments.csv", A)
    assert night.stream("payments").rows_landed == 1
    night.write("payments-copy.csv", A)
    report = night.stream("payments")
    assert (report.status, report.files_unchanged, report.last_arrival) == ("unchanged", 2, 1)
    assert night.rows("select count(*) from raw.files__payments") == [(1,)]


def test_path_returning_to_earlier_bytes_lands_again_as_newest(night) -> None:
    for content in (A, B, A):
        night.write("payments.csv", content)
        assert night.stream("payments").status == "ok"
    assert night.rows("select amount_minor from raw.files__payments order by _arrival desc") == [
        ("100",),
        ("200",),
        ("100",),
    ]


def test_arrival_numbers_increase_over_all_streams_and_nights(night) -> None:
    night.write("payments.csv", A)
    night.write("products.csv", "product_id,name\nx,X\n")
    night.run()
    night.write("payments-2.csv", B)
    night.run()
    arrivals = night.rows(
        "select _arrival, _file from raw.files__payments union all"
        " select _arrival, _file from raw.files__products order by 1"
    )
    assert arrivals == [(1, "payments.csv"), (2, "products.csv"), (3, "payments-2.csv")]


def test_files_land_in_order_of_their_dates_undated_first() -> None:
    names = ["payments-10.csv", "payments-2.csv", "payments.csv", "payments-2026-01.csv"]
    assert sorted(names, key=arrival_order) == [
        "payments.csv",
        "payments-2.csv",
        "payments-10.csv",
        "payments-2026-01.csv",
    ]


@pytest.mark.parametrize(
    ("name", "entity"),
    [
        ("invoices.csv", "invoices"),
        ("invoices-2026-03.ndjson", "invoices"),
        ("credit_notes.v2.csv", "credit_notes"),
        ("Partners.CSV", "partners"),
    ],
)
def test_entity_is_the_text_before_dash_or_point(name: str, entity: str) -> None:
    assert entity_name(name) == entity


def test_arriving_hidden_and_foreign_files_are_ignored(night) -> None:
    for name in ("payments.csv.tmp", "payments.csv.part", ".payments.csv", "README.md", "README"):
        night.write(name, A)
    (night.drop / "payments").mkdir()
    assert night.run().streams == ()


def test_unknown_entity_names_the_nearest(night) -> None:
    night.write("invoces.csv", A)
    report = night.stream("invoces.csv")
    assert report.status == "failed"
    assert "did you mean invoices?" in report.message


def test_spreadsheet_of_an_entity_is_reported_not_ignored(night) -> None:
    night.write("payments.xlsx", b"PK")
    report = night.stream("payments")
    assert report.status == "failed"
    assert "Save it as CSV" in report.what_to_do


@pytest.mark.parametrize(
    ("make", "found"),
    [
        (lambda path: path.mkdir(), "a folder"),
        (os.mkfifo, "a pipe or a device"),
        (lambda path: path.symlink_to(path.with_name("elsewhere.txt")), "a symbolic link"),
        (lambda path: path.symlink_to("nowhere"), "a symbolic link"),
    ],
)
def test_what_is_named_like_a_file_and_is_none_is_reported(night, make, found: str) -> None:
    night.write("elsewhere.txt", A)
    night.write("products.csv", "product_id,name\nx,X\n")
    make(night.drop / "payments.csv")
    by_name = {each.stream: each for each in night.run().streams}
    assert by_name["payments"].status == "failed"
    assert f"payments.csv: is {found}, not a file" in by_name["payments"].message
    assert by_name["payments"].what_to_do
    assert by_name["products"].status == "ok"


def test_a_link_to_the_folder_itself_is_followed(night) -> None:
    night.write("payments.csv", A)
    (night.root / "link").symlink_to(night.drop)
    night.sources["drop"].path = "link"
    assert night.stream("payments").rows_landed == 1


def test_missing_folder_fails_the_source_with_what_to_do(night) -> None:
    night.drop.rmdir()
    report = night.stream("*")
    assert report.status == "failed"
    assert "sources.drop.path" in report.what_to_do


def test_unreadable_file_fails_its_stream_and_others_go_on(night, monkeypatch) -> None:
    night.write("payments.csv", A)
    night.write("products.csv", "product_id,name\nx,X\n")
    real = Path.open

    def refuse(path: Path, *arguments, **keywords):
        if path.name == "payments.csv" and path.parent == night.drop:
            raise PermissionError(13, "Permission denied")
        return real(path, *arguments, **keywords)

    monkeypatch.setattr(Path, "open", refuse)
    by_name = {each.stream: each for each in night.run().streams}
    assert "Permission denied" in by_name["payments"].message
    assert by_name["products"].status == "ok"


def test_one_refused_file_of_an_entity_does_not_hold_back_another(night) -> None:
    night.write("payments-1.csv", A)
    night.write("payments-2.csv", "payment_id,oops\n1,2\n")
    report = night.stream("payments")
    assert (report.status, report.rows_landed, report.files_landed) == ("failed", 1, 1)
    assert "payments-2.csv" in report.message
    assert len(night.manifests()) == 1


def test_refused_file_is_reported_every_night_until_corrected(night) -> None:
    night.write("payments.csv", "payment_id,oops\n1,2\n")
    assert night.stream("payments").status == "failed"
    assert night.stream("payments").status == "failed"
    night.write("payments.csv", A)
    assert night.stream("payments").status == "ok"


def test_rejects_of_a_corrected_file_are_settled(night) -> None:
    night.write("payments.csv", A.replace("100", "1.00"))
    night.run()
    assert night.rows("select column_name from raw.ingest__rejects") == [("amount_minor",)]
    night.write("payments.csv", A)
    night.run()
    assert night.rows("select count(*) from raw.ingest__rejects") == [(0,)]


def test_rejects_name_file_line_column_and_landing(night) -> None:
    night.write("payments.csv", PAYMENTS + "p1,i1,100,2026-01-01\np2,i2,12.34,2026-02-30\n")
    report = night.stream("payments")
    assert (report.rows_landed, report.rows_rejected) == (1, 1)
    assert night.rows(
        "select source, entity, file, line, row, column_name, landing_id, _arrival"
        " from raw.ingest__rejects"
    ) == [
        ("drop", "payments", "payments.csv", 3, 2, "amount_minor",
         "drop/payments/0000000001", 1)
    ]  # fmt: skip
    reason = night.rows("select reason from raw.ingest__rejects")[0][0]
    assert "write minor units: 1234" in reason
    assert "also wrong: paid_at" in reason
    assert str(report.rejects[0]).startswith("payments.csv, line 3, column amount_minor: ")


def test_stream_table_tells_status_and_arrival(night) -> None:
    night.write("payments.csv", A)
    night.run()
    night.write("invoces.csv", A)
    night.run()
    assert night.rows(
        "select source, stream, status, rows_landed, last_arrival from raw.ingest__streams"
        " order by stream"
    ) == [("drop", "invoces.csv", "failed", 0, None), ("drop", "payments", "unchanged", 0, 1)]


def test_landed_source_that_is_no_longer_declared_is_told(night) -> None:
    night.write("payments.csv", A)
    night.run()
    night.sources = {}
    assert night.rows("select count(*) from raw.files__payments") == [(0,)]
    ((status, what_to_do),) = night.rows("select status, what_to_do from raw.ingest__streams")
    assert status == "failed"
    assert "Declare drop in sources.yml" in what_to_do


def test_received_bytes_are_kept_exactly(night) -> None:
    import zstandard

    content = "\ufeff" + A.replace("\n", "\r\n")
    night.write("payments.csv", content)
    night.run()
    (kept,) = night.home.glob("landing/drop/payments/*/received.csv.zst")
    with kept.open("rb") as opened:
        assert zstandard.ZstdDecompressor().stream_reader(opened).read() == content.encode()


def test_landing_leaves_no_temporary_file(night) -> None:
    night.write("payments.csv", A.replace("100", "x"))
    night.run()
    names = {path.name for path in night.home.glob("landing/drop/payments/*/*")}
    assert names == {"manifest.jsonl", "received.csv.zst", "rows.parquet", "rejects.parquet"}


def test_unknown_source_name_is_refused_with_the_nearest(night) -> None:
    with pytest.raises(UnknownSourceError, match="did you mean drop"):
        night.run(names=["drp"])


def test_second_ingest_at_the_same_time_is_refused(night) -> None:
    with LandingStore(night.home), pytest.raises(LandingBusyError, match="another run"):
        night.run()


def test_full_disk_fails_the_file_and_keeps_what_was_landed(night, monkeypatch) -> None:
    night.write("payments.csv", A)
    night.run()
    night.write("products.csv", "product_id,name\nx,X\n")
    real = os.fsync

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    report = night.stream("products")
    monkeypatch.setattr(os, "fsync", real)
    assert report.status == "failed"
    assert report.is_transient
    assert "no space left" in report.message
    assert night.rows("select count(*) from raw.files__payments") == [(1,)]
    assert night.stream("products").status == "ok"


def test_file_changing_while_it_is_read_is_refused(night, monkeypatch) -> None:
    path = night.write("payments.csv", A)
    import ingest.files

    def changed_meanwhile(found: Path) -> str:
        path.write_text(B)
        return "0" * 64

    monkeypatch.setattr(ingest.files, "hash_file", changed_meanwhile)
    report = night.stream("payments")
    assert report.is_transient
    assert "changed while it was read" in report.message


def test_progress_is_told_per_file(night) -> None:
    night.write("payments.csv", A)
    night.write("products.csv", "product_id,name\nx,X\n")
    steps = []
    night.run(progress=steps.append)
    assert [(each.step, each.done, each.total) for each in steps] == [
        ("payments.csv", 1, 2),
        ("products.csv", 2, 2),
    ]


def test_parquet_values_become_exact_text(night) -> None:
    from datetime import date
    from decimal import Decimal

    parquet.write_table(
        pyarrow.table(
            {
                "deal_id": [1234567890123456789],
                "stage": ["won"],
                "created_at": pyarrow.array(
                    [datetime(2026, 1, 2, 3, 4, 5, 600, tzinfo=UTC)],
                    pyarrow.timestamp("us", "Europe/Berlin"),
                ),
                "closed_at": pyarrow.array([datetime(2026, 1, 2, 3, 4)], pyarrow.timestamp("ns")),
                "updated_at": [date(2026, 1, 3)],
                "amount_minor": pyarrow.array([Decimal(9007199254740993)]),
                "is_won": [True],
                "code": pyarrow.array(["X"]).dictionary_encode(),
            }
        ),
        night.drop / "deals.parquet",
    )
    assert night.stream("deals").rows_landed == 1
    assert night.rows(
        "select deal_id, created_at, closed_at, updated_at, amount_minor, is_won, code, _row, _line"
        " from raw.files__deals"
    ) == [
        ("1234567890123456789", "2026-01-02T03:04:05.000600Z", "2026-01-02T03:04:00.000000",
         "2026-01-03", "9007199254740993", "true", "X", 1, None)
    ]  # fmt: skip


def test_parquet_row_rejects_name_the_row(night) -> None:
    table = pyarrow.table(
        {
            "payment_id": ["a", "b"],
            "invoice_id": ["a", "b"],
            "amount_minor": [1.0, 2.5],
            "paid_at": ["2026-01-01", "2026-01-01"],
        }
    )
    parquet.write_table(table, night.drop / "payments.parquet")
    report = night.stream("payments")
    assert report.rows_rejected == 2
    assert str(report.rejects[1]).startswith("payments.parquet, row 2, column amount_minor")


@pytest.mark.parametrize("content", [b"", b"PAR1 nothing", os.urandom(64)])
def test_damaged_parquet_is_refused(night, content: bytes) -> None:
    night.write("payments.parquet", content)
    assert "not a readable Parquet file" in night.stream("payments").message


def test_parquet_with_nested_column_is_refused(night) -> None:
    table = pyarrow.table({"product_id": ["a"], "name": [["x"]]})
    parquet.write_table(table, night.drop / "products.parquet")
    assert "column 'name' has type" in night.stream("products").message


def test_home_given_relative_is_read_from_anywhere(night, monkeypatch, tmp_path) -> None:
    import duckdb

    from ingest.raw import load_raw
    from ingest.run import ingest

    night.write("payments.csv", A)
    monkeypatch.chdir(tmp_path)
    ingest(night.workspace, Path("home"), now=datetime(2026, 3, 1, tzinfo=UTC))
    connection = duckdb.connect()
    load_raw(connection, night.workspace, Path("home"))
    monkeypatch.chdir("/")
    assert connection.execute("select count(*) from raw.files__payments").fetchall() == [(1,)]


def test_source_that_changed_its_kind_keeps_working(night, stripe_settings, monkeypatch) -> None:
    night.write("customers.csv", "customer_id,created_at\nc1,2026-01-01\n")
    night.run()
    from tests.fakes.stripe_server import FakeStripe

    monkeypatch.setenv("TEST_STRIPE_KEY", "rk_test")
    files = night.sources["drop"]
    with FakeStripe(objects={"/v1/customers": [{"id": "cus_1"}]}) as fake:
        night.sources["drop"] = stripe_settings(fake.base_url)
        assert night.stream("customers").rows_landed == 1
    night.sources["drop"] = files
    assert night.stream("customers").status == "unchanged"


def test_many_files_of_one_entity_land_in_seconds(night) -> None:
    for number in range(30):
        night.write(f"payments-{number}.csv", A.replace("p1", f"p{number}"))
    assert night.stream("payments").rows_landed == 30
    assert night.rows("select count(*), max(_arrival) from raw.files__payments") == [(30, 30)]


def test_loading_raw_twice_into_one_connection_changes_nothing(night) -> None:
    import duckdb

    from ingest.raw import load_raw

    night.write("payments.csv", A)
    night.run()
    connection = duckdb.connect()
    for _ in range(2):
        load_raw(connection, night.workspace, night.home)
    assert connection.execute("select count(*) from raw.files__payments").fetchall() == [(1,)]
