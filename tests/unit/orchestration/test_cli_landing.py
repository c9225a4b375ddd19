"""The commands over the landing: list, verify, reread, prune; and looking before fetching."""

import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from cli_world import run_cli

from ingest.landing import LandingStore

HEADER = "partner_id,name,email\n"


@pytest.fixture
def programme(tmp_path) -> Path:
    """A workspace with one drop folder that holds one file."""
    folder = tmp_path / "programme"
    assert run_cli("init", str(folder)).code == 0
    (folder / "drop/partners.csv").write_text(f"{HEADER}p1,Ann,a@b.example\n", encoding="utf-8")
    return folder


@pytest.fixture
def landed(programme) -> Path:
    """The same with its file landed into `var`."""
    assert run_cli("ingest", cwd=programme).code == 0
    return programme


def landing_old(home: Path) -> None:
    """Three landings of one stream, sixty days old, the second one killed."""
    with LandingStore(home) as store:
        for number in range(3):
            old = datetime.now() - timedelta(days=60)
            writer = store.begin("billing", "customers", "stripe", old, {})
            writer.temporary_path("pages").write_bytes(b"page")
            writer.commit_part("pages", "pages", rows=1)
            if number != 1:
                writer.finalise({})


def test_list_shows_each_landing(landed) -> None:
    (row,) = run_cli("landing", "list", "--json", cwd=landed).records
    assert (row["source"], row["stream"], row["arrival"]) == ("drop", "partners", 1)
    assert (row["rows"], row["state"], row["file"]) == (1, "final", "partners.csv")
    assert row["size_bytes"] > 0
    text = run_cli("landing", "list", cwd=landed).out
    assert "partners.csv" in text
    assert "final" in text
    assert run_cli("landing", "list", "billing", "--json", cwd=landed).records == []


def test_verify_passes_and_names_a_damaged_file_with_exit_1(landed) -> None:
    passed = run_cli("landing", "verify", cwd=landed)
    assert (passed.code, passed.err) == (0, "")
    assert "2 files of 1 landing" in passed.out
    (rows,) = landed.glob("var/landing/*/*/*/rows.parquet")
    rows.write_bytes(b"other")
    failed = run_cli("landing", "verify", "--json", cwd=landed)
    assert failed.code == 1
    assert failed.records["damages"] == [
        {
            "path": "drop/partners/0000000001/rows.parquet",
            "fault": "was changed: its SHA-256 is not the recorded one",
        }
    ]
    assert failed.err.count("\n") == 1
    assert "rows.parquet" in failed.err


def test_reread_tells_rows_before_and_after(landed) -> None:
    (told,) = run_cli("landing", "reread", "--json", cwd=landed).records
    assert (told["stream"], told["landings"], told["changed"]) == ("partners", 1, 0)
    assert (told["rows_before"], told["rows_after"], told["message"]) == (1, 1, "")
    text = run_cli("landing", "reread", "--dry-run", cwd=landed).out
    assert "Would be read again" in text
    assert "rows before" in text


def test_reread_of_an_unknown_source_or_stream_refuses_in_one_line(landed) -> None:
    for arguments in (("drip",), ("--stream", "partner")):
        outcome = run_cli("landing", "reread", *arguments, cwd=landed)
        assert (outcome.code, outcome.err.count("\n")) == (1, 1)


def test_a_landing_that_is_busy_refuses_in_one_line(landed) -> None:
    with LandingStore(landed / "var"):
        for arguments in (
            ("ingest",),
            ("landing", "reread"),
            ("landing", "prune", "--older-than", "1", "--yes"),
        ):
            outcome = run_cli(*arguments, cwd=landed)
            assert (outcome.code, outcome.err.count("\n")) == (1, 1)
            assert "another run is landing" in outcome.err
        assert run_cli("landing", "list", cwd=landed).code == 0
        assert run_cli("landing", "verify", cwd=landed).code == 0


def test_prune_asks_first_and_takes_nothing_without_an_answer(tmp_path) -> None:
    home = tmp_path / "var"
    landing_old(home)
    asked = run_cli("landing", "prune", "--older-than", "30", home=home)
    assert (asked.code, asked.err.count("\n")) == (1, 1)
    assert "--yes" in asked.err
    looked = run_cli("landing", "prune", "--older-than", "30", "--dry-run", home=home)
    assert looked.code == 0
    assert "evidence" in looked.out
    assert "all of it" in looked.out
    assert len(list(home.glob("landing/*/*/*/pages"))) == 3


def test_prune_takes_away_what_is_old(tmp_path) -> None:
    home = tmp_path / "var"
    landing_old(home)
    options = ("--older-than", "30", "--yes", "--json")
    found = run_cli("landing", "prune", *options, home=home).records
    assert [(each["arrival"], each["is_whole"]) for each in found] == [(1, False), (2, True)]
    assert [
        (each["arrival"], each["state"])
        for each in run_cli("landing", "list", "--json", home=home).records
    ] == [(1, "pruned"), (3, "final")]
    assert run_cli("landing", "prune", *options, home=home).records == []
    assert run_cli("landing", "verify", home=home).code == 0


def test_prune_of_an_unknown_source_refuses(tmp_path) -> None:
    landing_old(tmp_path)
    outcome = run_cli("landing", "prune", "drip", "--older-than", "30", "--yes", home=tmp_path)
    assert (outcome.code, outcome.err.count("\n")) == (1, 1)
    assert "billing" in outcome.err


def test_a_dry_run_of_ingest_writes_nothing_and_names_new_files(programme) -> None:
    outcome = run_cli("ingest", "--dry-run", cwd=programme)
    assert outcome.code == 0
    assert "new: drop/partners.csv, 41 bytes" in outcome.out
    assert "never" in outcome.out
    assert not (programme / "var").exists()


def test_a_dry_run_of_backfill_tells_mode_and_bounds_without_a_key(programme) -> None:
    (programme / "sources.yml").write_text(
        "sources:\n"
        "  billing:\n"
        "    kind: stripe\n"
        "    streams: [events, customers, invoices, subscriptions]\n"
        "  files:\n"
        "    kind: files\n",
        encoding="utf-8",
    )
    found = run_cli("backfill", "--dry-run", "--json", "--stream", "customers", cwd=programme)
    assert found.code == 0, found.err
    told = {each["stream"]: each for each in found.records}
    assert list(told) == ["events", "customers"]
    assert (told["customers"]["mode"], told["customers"]["kind"]) == ("full", "stripe")
    assert told["customers"]["reason"] == "asked to read everything again"
    assert "chains" in told["customers"]["bounds"]
    text = run_cli("backfill", "--dry-run", cwd=programme).out
    for word in ("customers", "full", "never", "partners"):
        assert word in text
    assert not (programme / "var").exists()


def test_an_unknown_stream_refuses_and_names_those_there_are(programme) -> None:
    outcome = run_cli("ingest", "--stream", "custmers", cwd=programme)
    assert (outcome.code, outcome.err.count("\n")) == (1, 1)
    assert "custmers" in outcome.err


def test_no_progress_is_shown_without_a_terminal(landed) -> None:
    for arguments in (("ingest",), ("landing", "verify"), ("ingest", "--json")):
        assert run_cli(*arguments, cwd=landed).err == ""
    assert json.loads(run_cli("ingest", "--json", cwd=landed).out)[0]["files_unchanged"] == 1


def test_verify_of_everything_includes_the_landing(landed) -> None:
    from payouts.store import open_store

    open_store(landed / "var").close()
    checks = {each["check"]: each for each in run_cli("verify", "--json", cwd=landed).records}
    assert checks["landing"]["detail"] == "2 files of 1 landing, as recorded"
    (rows,) = landed.glob("var/landing/*/*/*/rows.parquet")
    rows.unlink()
    outcome = run_cli("verify", "--json", cwd=landed)
    broken = [each["detail"] for each in outcome.records if not each["ok"]]
    assert broken == ["drop/partners/0000000001/rows.parquet is missing"]
