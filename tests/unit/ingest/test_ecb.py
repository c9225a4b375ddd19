"""Euro reference rates: which file is read, what lands, and files that are broken."""

import io
import zipfile
from datetime import datetime, timedelta
from types import SimpleNamespace

import pytest

from ingest import ecb_files
from ingest.ecb import RATES
from ingest.errors import FileRefusedError
from ingest.landing import read_landings
from tests.fakes.ecb_server import (
    DAILY,
    HISTORY,
    LAST_90_DAYS,
    FakeEcb,
    Fault,
    envelope,
    history_csv,
    zipped,
)

DAYS = {
    "2022-02-28": {"USD": "1.1199", "GBP": "0.83604", "RUB": "115.4842", "TRL": "N/A"},
    "2022-03-01": {"USD": "1.1162", "GBP": "0.83243", "RUB": "117.2010", "TRL": "N/A"},
    "2022-03-02": {"USD": "1.1106", "GBP": "0.83328", "RUB": "N/A", "TRL": "N/A"},
    "2026-02-26": {"USD": "1.0777", "GBP": "0.8569", "RUB": "N/A", "TRL": "N/A"},
    "2026-02-27": {"USD": "1.0812", "GBP": "0.8570", "RUB": "N/A", "TRL": "N/A"},
}
SUNDAY = datetime(2026, 3, 1, 2, 0)
MONDAY, TUESDAY, WEDNESDAY = (SUNDAY + timedelta(days=number) for number in (1, 2, 3))
ENVELOPE = envelope({"2026-02-27": {"USD": "1.0812"}})
CSV = "Date,USD,JPY,\n2026-02-27,1.0812,155.5,\n"


@pytest.fixture
def fake():
    with FakeEcb(days={day: dict(rates) for day, rates in DAYS.items()}) as running:
        yield running


@pytest.fixture
def bank(night, fake):
    """A night with the rates as its only source."""
    night.sources = {
        "bank": SimpleNamespace(
            kind="ecb",
            base_url=fake.base_url,
            streams=("rates",),
            timeout_seconds=5,
            history=True,
        )
    }
    return night


def rates(bank, where: str = "true") -> list[tuple[str, str]]:
    return bank.rows(
        "select object_id, payload ->> '$.rate' from raw.ecb__rates"
        f" where {where} order by object_id, _arrival"
    )


def test_first_pull_lands_the_history_without_what_is_not_published(bank, fake) -> None:
    report = bank.stream("rates", now=SUNDAY)
    assert (report.status, report.rows_landed, report.mode) == ("ok", 12, "full")
    assert report.cursor == '{"rate_date": "2026-02-27"}'
    assert fake.paths() == [HISTORY]
    assert rates(bank, "payload ->> '$.currency_code' in ('RUB', 'TRL')") == [
        ("2022-02-28:RUB", "115.4842"),
        ("2022-03-01:RUB", "117.2010"),
    ]
    assert bank.rows(
        "select object_id, parent_id, payload, is_tombstone, _source, _arrival, _row, _retrieved_at"
        " is not null from raw.ecb__rates where object_id = '2026-02-27:GBP'"
    ) == [
        (
            "2026-02-27:GBP",
            None,
            '{"rate_date":"2026-02-27","currency_code":"GBP","rate":"0.8570"}',
            False,
            "bank",
            1,
            2,
            True,
        )
    ]


def test_no_key_is_asked_for_or_sent(bank, fake) -> None:
    bank.run(now=SUNDAY)
    assert "Authorization" not in fake.log[0].headers


def test_first_pull_without_history_reads_90_days(bank, fake) -> None:
    bank.sources["bank"].history = False
    assert bank.stream("rates", now=SUNDAY).rows_landed == 4
    assert fake.paths() == [LAST_90_DAYS]


def test_a_weekend_brings_nothing_and_friday_stays_the_newest(bank, fake) -> None:
    bank.run(now=SUNDAY)
    fake.log.clear()
    report = bank.stream("rates", now=MONDAY)
    assert (report.status, report.rows_landed) == ("unchanged", 0)
    assert report.cursor == '{"rate_date": "2026-02-27"}'
    assert fake.paths() == [DAILY]


def test_each_working_day_after_reads_the_daily_file(bank, fake) -> None:
    bank.run(now=SUNDAY)
    for now, day in ((TUESDAY, "2026-03-02"), (WEDNESDAY, "2026-03-03")):
        fake.days[day] = {"USD": "1.0900", "GBP": "0.8600"}
        fake.log.clear()
        assert bank.stream("rates", now=now).rows_landed == 2
        assert fake.paths() == [DAILY]
    assert len(rates(bank, "payload ->> '$.rate_date' >= '2026-03-01'")) == 4


def test_two_missed_working_days_read_90_days(bank, fake) -> None:
    bank.run(now=SUNDAY)
    fake.days["2026-03-02"] = fake.days["2026-03-03"] = {"USD": "1.0900"}
    fake.log.clear()
    report = bank.stream("rates", now=WEDNESDAY)
    assert (fake.paths(), report.rows_landed) == ([LAST_90_DAYS], 2)
    assert "2 working days since 2026-02-27" in report.message


def test_a_holiday_reads_a_larger_file_and_misses_nothing(bank, fake) -> None:
    """Good Friday and Easter Monday 2026 are 3 and 6 April."""
    fake.days["2026-04-02"] = {"USD": "1.1000"}
    bank.run(now=datetime(2026, 4, 3, 2))
    fake.log.clear()
    assert bank.stream("rates", now=datetime(2026, 4, 7, 2)).status == "unchanged"
    fake.days["2026-04-07"] = {"USD": "1.1100"}
    assert bank.stream("rates", now=datetime(2026, 4, 8, 2)).rows_landed == 1
    assert fake.paths() == [LAST_90_DAYS, LAST_90_DAYS]


def test_a_pull_after_publication_counts_today(bank, fake) -> None:
    bank.run(now=SUNDAY)
    fake.log.clear()
    bank.run(now=TUESDAY.replace(hour=13))
    bank.run(now=TUESDAY.replace(hour=15))
    assert fake.paths() == [DAILY, LAST_90_DAYS]


@pytest.mark.parametrize(("days", "path"), [(80, LAST_90_DAYS), (81, HISTORY)])
def test_a_long_gap_reads_the_history(bank, fake, days: int, path: str) -> None:
    bank.sources["bank"].history = False
    bank.run(now=SUNDAY)
    fake.log.clear()
    bank.run(now=datetime(2026, 2, 27, 2) + timedelta(days=days))
    assert fake.paths() == [path]


def test_a_corrected_rate_is_landed_as_a_newer_version(bank, fake) -> None:
    bank.run(now=SUNDAY)
    fake.days["2026-02-27"]["USD"] = "1.0821"
    assert bank.stream("rates", now=MONDAY).rows_landed == 1
    assert rates(bank, "object_id = '2026-02-27:USD'") == [
        ("2026-02-27:USD", "1.0812"),
        ("2026-02-27:USD", "1.0821"),
    ]


def test_reading_everything_again_lands_only_what_differs(bank, fake) -> None:
    bank.run(now=SUNDAY)
    fake.days["2022-03-02"]["USD"] = "1.1107"
    report = bank.stream("rates", now=MONDAY, force_full={"rates"})
    assert (report.mode, report.rows_landed) == ("full", 1)
    assert fake.paths() == [HISTORY, HISTORY]


def test_bytes_as_received_are_kept(bank, fake) -> None:
    bank.run(now=SUNDAY)
    bank.run(now=MONDAY)
    first, second = read_landings(bank.home)
    assert first.evidence[0].name == "received.zip"
    archive = zipfile.ZipFile(first.directory / "received.zip")
    assert archive.read("eurofxref-hist.csv").startswith(b"Date,USD,GBP,RUB,TRL,\n2026-02-27,")
    import zstandard

    kept = (second.directory / "received.xml.zst").read_bytes()
    newest = envelope({"2026-02-27": DAYS["2026-02-27"]})
    assert zstandard.ZstdDecompressor().decompress(kept) == newest
    assert second.evidence[0].facts["original_name"] == "eurofxref-daily.xml"
    assert second.rows == 0


def test_a_far_shorter_history_is_refused_unless_accepted(bank, fake) -> None:
    bank.run(now=SUNDAY)
    fake.days = {"2026-02-27": {"USD": "1.0812"}}
    report = bank.stream("rates", now=MONDAY, force_full={"rates"})
    assert report.status == "failed"
    assert "has 1 rates, last time it had 12" in report.message
    assert len(rates(bank)) == 12
    report = bank.stream("rates", now=MONDAY, force_full={"rates"}, accept_fewer=True)
    assert (report.status, report.cursor) == ("unchanged", '{"rate_date": "2026-02-27"}')


def test_a_killed_pull_is_made_again(bank, fake) -> None:
    bank.run(now=SUNDAY)
    (manifest,) = bank.manifests()
    lines = manifest.read_bytes().splitlines(keepends=True)
    manifest.write_bytes(b"".join(lines[:2]))
    report = bank.stream("rates", now=MONDAY)
    assert (report.rows_landed, report.mode) == (12, "full")
    assert [each.state for each in read_landings(bank.home)] == ["final"]


def test_a_rate_of_tomorrow_is_refused(bank, fake) -> None:
    bank.run(now=SUNDAY)
    fake.days["2026-03-04"] = {"USD": "1.1"}
    report = bank.stream("rates", now=MONDAY)
    assert report.status == "failed"
    assert "line 9: 2026-03-04 cannot be the day of a published rate" in report.message


def test_a_refused_file_lands_nothing_and_is_kept_as_evidence(bank, fake) -> None:
    bank.run(now=SUNDAY)
    broken = envelope({"2026-03-02": {"USD": "1.09", "GBP": "0,86"}})
    fake.script[DAILY] = [Fault(body=broken)]
    report = bank.stream("rates", now=TUESDAY)
    assert (report.status, report.is_transient, report.rows_landed) == ("failed", False, 0)
    assert "eurofxref-daily.xml, line 10: '0,86' is not a rate of GBP" in report.message
    assert report.what_to_do
    assert len(rates(bank)) == 12
    assert [each.state for each in read_landings(bank.home)] == ["final", "abandoned"]
    assert bank.stream("rates", now=TUESDAY).status == "unchanged"


def test_404_names_the_address(bank, fake) -> None:
    fake.script[HISTORY] = [Fault(status=404)]
    report = bank.stream("rates", now=SUNDAY)
    assert (report.status, report.is_transient) == ("failed", False)
    assert "status 404" in report.message
    assert "sources.bank.base_url" in report.what_to_do
    assert read_landings(bank.home) == []


def test_403_speaks_of_no_key(bank, fake) -> None:
    fake.script[HISTORY] = [Fault(status=403)]
    report = bank.stream("rates", now=SUNDAY)
    assert "no key is asked for" in report.message
    assert "proxy" in report.what_to_do


def test_429_waits_as_asked_and_goes_on(bank, fake) -> None:
    fake.script[HISTORY] = [Fault(status=429, headers={"Retry-After": "7"}), Fault(status=503)]
    report = bank.stream("rates", now=SUNDAY)
    assert (report.rows_landed, report.retries, report.requests) == (12, 2, 1)
    assert bank.pauses[0] == 7


def test_429_that_does_not_end_fails_and_may_pass(bank, fake) -> None:
    fake.script[HISTORY] = [Fault(status=429)] * 5
    report = bank.stream("rates", now=SUNDAY)
    assert (report.status, report.is_transient, report.retries) == ("failed", True, 4)


def test_an_answer_that_breaks_off_is_asked_for_again(bank, fake) -> None:
    fake.script[HISTORY] = [Fault(truncate=True)]
    assert bank.stream("rates", now=SUNDAY).rows_landed == 12
    fake.script[DAILY] = [Fault(truncate=True)] * 3
    report = bank.stream("rates", now=MONDAY)
    assert (report.status, report.is_transient) == ("failed", True)
    assert "broke off, 3 times" in report.message


@pytest.mark.parametrize("path", [HISTORY, LAST_90_DAYS])
def test_a_page_instead_of_the_file_is_told(bank, fake, path: str) -> None:
    bank.sources["bank"].history = path == HISTORY
    fake.script[path] = [Fault(body=b"<html>Sign in to the network</html>")] * 3
    report = bank.stream("rates", now=SUNDAY)
    assert (report.status, report.is_transient) == ("failed", False)
    assert "not a page or a proxy" in report.what_to_do


def test_a_file_too_large_is_not_read_to_its_end(bank, fake, monkeypatch) -> None:
    monkeypatch.setattr("ingest.ecb.MAXIMUM_BYTES", 100)
    assert "more than 100 bytes" in bank.stream("rates", now=SUNDAY).message


def test_a_dead_server_fails_the_stream_only(bank) -> None:
    bank.sources["bank"].base_url = "http://127.0.0.1:9"
    report = bank.stream("rates", now=SUNDAY)
    assert (report.status, report.is_unreachable) == ("failed", True)


def test_other_streams_of_an_ingest_leave_the_rates_alone(bank, fake) -> None:
    assert bank.run(streams=["customers"], now=SUNDAY).streams == ()
    assert fake.log == []


def read(name: str, content: bytes) -> list[ecb_files.Rate]:
    return ecb_files.read_rates(name, content, datetime(2026, 3, 1).date())


CSV_FAULTS = {
    CSV.replace("1.0812", "x"): "line 2, column USD: is not a rate of USD",
    CSV.replace("1.0812", "0"): "line 2, column USD: '0' is not a rate",
    CSV.replace("1.0812", "0.000"): "'0.000' is not a rate",
    CSV.replace("1.0812", "-1"): "'-1' is not a rate",
    CSV.replace("1.0812", ""): "line 2, column USD: is not a rate",
    CSV.replace("1.0812", "1e5"): "is not a rate",
    CSV.replace("2026-02-27", "27.02.2026"): "line 2, column USD: '27.02.2026' is not a date",
    CSV.replace("2026-02-27", "2026-02-30"): "is not a date",
    CSV.replace("2026-02-27", "1970-01-01"): "cannot be the day",
    CSV.replace("USD", "USDX"): "line 1: column 2, 'USDX', is not a foreign currency",
    CSV.replace("USD", "EUR"): "column 2, 'EUR', is not",
    CSV.replace("USD", "JPY"): "column JPY appears twice",
    CSV.replace("Date", "Day"): "line 1: is not the header",
    CSV + "2026-02-26,1.07\n": "line 3: 2 fields where the header has 3",
    CSV + "2026-02-26,1,2,3\n": "line 3: 4 fields where the header has 3",
    CSV + "2026-02-27,1,2,\n": "line 3, column USD: USD of 2026-02-27 appears twice",
    CSV + '"2026-02-26': "line 3: is not a line of a CSV file",
    "": "is empty",
    "Date,USD,\n2026-02-27,N/A,\n": "holds no rate",
}


@pytest.mark.parametrize("text", CSV_FAULTS)
def test_a_history_with_one_fault_is_refused_whole(text: str) -> None:
    with pytest.raises(FileRefusedError) as refused:
        read("eurofxref-hist.zip", zipped(text))
    assert CSV_FAULTS[text] in str(refused.value)
    assert str(refused.value).startswith("eurofxref-hist.")


XML_FAULTS = {
    ENVELOPE[:-20]: "line 11: is not XML: unclosed token",
    ENVELOPE.replace(b"rate='1.0812'", b""): "line 9: a Cube has neither",
    ENVELOPE.replace(b"rate=", b"unit='1' rate="): "line 9: a Cube has neither",
    ENVELOPE.replace(b"1.0812", b"1,0812"): "line 9: '1,0812' is not a rate of USD",
    ENVELOPE.replace(b"USD", b"usd"): "line 9: 'usd' is not a foreign currency",
    ENVELOPE.replace(b"2026-02-27", b"2026-2-27"): "line 9: '2026-2-27' is not a date",
    ENVELOPE.replace(b" time='2026-02-27'", b""): "line 9: a Cube has neither",
    ENVELOPE.replace(b"2002-08-01/eurofxref", b"2032-08-01/eurofxref"): "holds no rate",
    ENVELOPE.replace(b"xml/2002-08-01", b"xml/2032-08-01"): "line 2: is not an envelope",
    b"<html><Envelope/></html>": "line 1: is not an envelope of reference rates",
    ENVELOPE.replace(b"UTF-8", b"UTF-7"): "is in an encoding that is not read",
    envelope({}): "holds no rate",
}


@pytest.mark.parametrize("content", XML_FAULTS)
def test_an_xml_file_with_one_fault_is_refused_whole(content: bytes) -> None:
    with pytest.raises(FileRefusedError) as refused:
        read("eurofxref-daily.xml", content)
    assert XML_FAULTS[content] in str(refused.value)


@pytest.mark.parametrize(
    "declaration",
    [
        '<!DOCTYPE bomb [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]>',
        '<!DOCTYPE e SYSTEM "file:///etc/passwd">',
    ],
)
def test_declarations_that_attacks_need_are_refused(declaration: str) -> None:
    content = envelope({"2026-02-27": {"USD": "1.0812"}}, declaration)
    with pytest.raises(FileRefusedError, match="document type declaration"):
        read("eurofxref-daily.xml", content)


def test_archives_that_are_not_the_history_are_refused(monkeypatch) -> None:
    for content, words in (
        (zipped(CSV, copies=2), "exactly one CSV file"),
        (zipped(CSV, name="rates.exe"), "exactly one CSV file"),
        (zipped(CSV)[:-30], "not a readable zip file"),
        (zipped(b"Date,USD\n\xff"), "is not text"),
    ):
        with pytest.raises(FileRefusedError, match=words):
            read("eurofxref-hist.zip", content)
    monkeypatch.setattr(ecb_files, "MAXIMUM_UNPACKED_BYTES", 1000)
    with pytest.raises(FileRefusedError, match="unpacks to more than 1000"):
        read("eurofxref-hist.zip", zipped(b"0" * 100_000))


def test_a_member_with_a_path_is_read_and_written_nowhere(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert len(read("eurofxref-hist.zip", zipped(CSV, name="../../eurofxref-hist.csv"))) == 2
    assert list(tmp_path.iterdir()) == []


def test_blank_lines_and_a_missing_last_comma_do_no_harm() -> None:
    text = "\ufeffDate,USD,JPY\r\n2026-02-27, 1.0812 ,N/A\r\n\r\n"
    assert read("eurofxref-hist.zip", zipped(text)) == [
        ecb_files.Rate("2026-02-27", "USD", "1.0812")
    ]


def test_damaged_bytes_inside_an_archive_are_refused() -> None:
    content = bytearray(zipped(history_csv(DAYS)))
    start = io.BytesIO(content).getvalue().index(b"eurofxref-hist.csv") + 30
    content[start : start + 8] = b"\0" * 8
    with pytest.raises(FileRefusedError, match="not a readable zip file"):
        read("eurofxref-hist.zip", bytes(content))


def test_the_stream_is_named_like_its_relation() -> None:
    assert (RATES.name, RATES.records[0].role, RATES.needs) == ("rates", "rows:rates", ())


def test_a_look_ahead_names_the_file_without_a_request(bank, fake) -> None:
    from ingest.preview import preview

    (ahead,) = preview(bank.workspace, bank.home, now=SUNDAY)
    assert (ahead.mode, ahead.bounds) == ("full", {"file": "eurofxref-hist.zip"})
    assert fake.log == []
    bank.run(now=SUNDAY)
    (ahead,) = preview(bank.workspace, bank.home, now=MONDAY)
    assert (ahead.mode, ahead.cursor) == ("changes", {"rate_date": "2026-02-27"})


def test_rows_made_again_from_the_kept_bytes_are_the_same(bank, fake) -> None:
    from ingest.landing import LandingStore
    from ingest.reread import reread

    bank.run(now=SUNDAY)
    fake.days["2026-03-02"] = {"USD": "1.0900"}
    bank.run(now=TUESDAY)
    before = rates(bank)
    with LandingStore(bank.home) as store:
        (told,) = reread(bank.workspace, store, now=WEDNESDAY)
    assert (told.landings, told.changed, told.errors) == (2, 0, [])
    assert rates(bank) == before
