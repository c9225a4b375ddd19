"""Progress of an ingest: one bar per stream, with or without a total."""

import io

from rich.console import Console

from ingest.report import IngestProgress
from orchestration.cli_progress import SHOWN_STREAMS, StreamBars, ingest_progress, stream_bars


def test_each_stream_has_a_bar_with_pages_requests_and_rows() -> None:
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, width=120)
    with stream_bars(console) as bars:
        show = StreamBars(bars).show
        show(IngestProgress("billing", "customers", "/v1/customers", 12, None, 0, 14))
        bars.refresh()
        show(IngestProgress("billing", "customers", "done", 12, 12, 300, 14))
        show(IngestProgress("drop", "partners", "partners.csv", 1, 3, 20))
        bars.refresh()
    text = screen.getvalue()
    assert "12 pages, 14 requests" in text
    assert "12/12 pages, 14 requests, 300 rows" in text
    assert "drop/partners" in text
    assert "1/3, 20 rows" in text


def test_a_stream_that_never_told_its_total_ends_with_the_next_one() -> None:
    with stream_bars(Console(file=io.StringIO(), force_terminal=True)) as bars:
        show = StreamBars(bars).show
        show(IngestProgress("billing", "customers", "/v1/customers", 12, None))
        show(IngestProgress("billing", "invoices", "/v1/invoices", 1, None))
        assert [task.finished for task in bars.tasks] == [True, False]


def test_bars_of_many_streams_make_room_for_the_running_one() -> None:
    with stream_bars(Console(file=io.StringIO(), force_terminal=True)) as bars:
        show = StreamBars(bars).show
        for number in range(20):
            show(IngestProgress("billing", f"stream {number}", "", 1, None))
        shown = [task.description for task in bars.tasks if task.visible]
    assert shown == [f"billing/stream {number}" for number in range(20 - SHOWN_STREAMS, 20)]


def test_nothing_is_shown_without_a_terminal_or_when_quiet(capfd, monkeypatch) -> None:
    with ingest_progress() as show:
        show(IngestProgress("billing", "customers", "", 1, None))
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    with ingest_progress(is_quiet=True) as show:
        show(IngestProgress("billing", "customers", "", 1, None))
    assert capfd.readouterr() == ("", "")
