"""The landing: parts become visible by their manifest alone, whatever died in between."""

import errno
import hashlib
import json
from datetime import datetime
from pathlib import Path

import pytest

from ingest.errors import LandingDamagedError, PermanentSourceError
from ingest.landing import LandingStore, LandingWriter, read_landings, read_manifest
from ingest.landing_admin import verify_landings

AT = datetime(2026, 3, 1)
MANIFEST = "manifest.jsonl"


def begin(home: Path, stream: str = "customers") -> LandingWriter:
    with LandingStore(home) as store:
        return store.begin("billing", stream, "stripe", AT, {"version": "1"})


def put(writer: LandingWriter, name: str, content: bytes, **cursor: str) -> None:
    writer.temporary_path(name).write_bytes(content)
    writer.commit_part(name, "pages", rows=1, cursor=cursor)


def test_part_is_recorded_with_hash_rows_and_cursor(tmp_path) -> None:
    writer = begin(tmp_path)
    put(writer, "a", b"one", after="x")
    landing = read_manifest(writer.directory)
    (part,) = landing.parts
    assert part.sha256 == hashlib.sha256(b"one").hexdigest()
    assert (part.rows, part.cursor, part.size_bytes) == (1, {"after": "x"}, 3)
    assert landing.landing_id == "billing/customers/0000000001"
    assert not landing.is_final


def test_landing_is_visible_only_when_final(tmp_path) -> None:
    writer = begin(tmp_path)
    put(writer, "a", b"one")
    writer.finalise({"listed": 1})
    (landing,) = read_landings(tmp_path)
    assert landing.is_final
    assert landing.totals == {"listed": 1}


def test_torn_last_line_is_ignored_and_cut_before_the_next_record(tmp_path) -> None:
    writer = begin(tmp_path)
    put(writer, "a", b"one")
    manifest = writer.directory / "manifest.jsonl"
    whole = manifest.read_bytes()
    manifest.write_bytes(whole + b'{"record":"end","final":tr')
    landing = read_manifest(writer.directory)
    assert len(landing.parts) == 1
    assert not landing.is_final
    resumed = LandingWriter(landing)
    put(resumed, "b", b"two")
    assert [part.name for part in read_manifest(writer.directory).parts] == ["a", "b"]
    assert manifest.read_bytes().startswith(whole)
    assert b"tr{" not in manifest.read_bytes()


def test_damaged_manifest_line_is_refused_not_skipped(tmp_path) -> None:
    writer = begin(tmp_path)
    put(writer, "a", b"one")
    manifest = writer.directory / "manifest.jsonl"
    lines = manifest.read_bytes().splitlines(keepends=True)
    manifest.write_bytes(lines[0] + b"garbage\n" + lines[1])
    with pytest.raises(LandingDamagedError, match="line 2"):
        read_landings(tmp_path)


def test_restart_removes_temporary_files_and_empty_landings(tmp_path) -> None:
    writer = begin(tmp_path)
    put(writer, "a", b"one")
    leftover = writer.temporary_path("b")
    leftover.write_bytes(b"half")
    spilled = writer.temporary_path("spill")
    spilled.mkdir()
    orphan = writer.directory.parent / "0000000002"
    orphan.mkdir()
    (orphan / "manifest.jsonl").write_bytes(b'{"record":"sta')
    with LandingStore(tmp_path) as store:
        assert not leftover.exists()
        assert not orphan.exists()
        assert not spilled.exists()
        assert (writer.directory / "a").exists()
        assert store.begin("billing", "refunds", "stripe", AT, {}).landing.arrival == 2


def test_renamed_but_unrecorded_part_does_not_exist(tmp_path) -> None:
    writer = begin(tmp_path)
    (writer.directory / "a").write_bytes(b"renamed, then killed")
    assert read_manifest(writer.directory).parts == ()
    put(writer, "a", b"again")
    assert (writer.directory / "a").read_bytes() == b"again"


def test_full_disk_while_recording_leaves_the_manifest_whole(tmp_path, monkeypatch) -> None:
    import os

    writer = begin(tmp_path)
    manifest = writer.directory / "manifest.jsonl"
    put(writer, "a", b"one")
    before = manifest.read_bytes()
    real = os.fsync

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        writer.finalise({})
    monkeypatch.setattr(os, "fsync", real)
    assert not read_manifest(writer.directory).is_final
    assert manifest.read_bytes() == before


def test_abandoned_landing_stays_invisible(tmp_path) -> None:
    writer = begin(tmp_path)
    put(writer, "a", b"one")
    writer.abandon("too old")
    landing = read_manifest(writer.directory)
    assert landing.is_abandoned
    assert not landing.is_final


def test_unsafe_stream_name_never_leaves_the_landing(tmp_path) -> None:
    with LandingStore(tmp_path) as store, pytest.raises(LandingDamagedError):
        store.begin("billing", "../other", "stripe", AT, {})


def test_manifest_records_are_one_json_object_per_line(tmp_path) -> None:
    writer = begin(tmp_path)
    put(writer, "a", b"one")
    writer.finalise({})
    lines = (writer.directory / "manifest.jsonl").read_text().splitlines()
    assert [json.loads(line)["record"] for line in lines] == ["start", "part", "end"]


def test_restart_removes_parts_of_unfinished_landings_that_were_not_recorded(tmp_path) -> None:
    writer = begin(tmp_path)
    put(writer, "a", b"one")
    (writer.directory / "b").write_bytes(b"renamed, then killed")
    with LandingStore(tmp_path):
        found = sorted(each.name for each in writer.directory.iterdir())
    assert found == ["a", MANIFEST]


def test_a_lost_manifest_is_refused_and_its_parts_are_never_removed(tmp_path) -> None:
    writer = begin(tmp_path)
    put(writer, "a", b"one")
    (writer.directory / MANIFEST).unlink()
    with pytest.raises(LandingDamagedError, match="is missing"), LandingStore(tmp_path):
        pass
    assert (writer.directory / "a").read_bytes() == b"one"


def test_restart_ends_the_removal_of_a_discarded_landing(tmp_path) -> None:
    writer = begin(tmp_path)
    put(writer, "a", b"one")
    half_gone = writer.directory.rename(writer.directory.with_name("0000000001.tmp"))
    assert read_landings(tmp_path) == []
    with LandingStore(tmp_path):
        assert not half_gone.exists()


@pytest.fixture
def edited(tmp_path):
    """A visible landing of one part of rows; gives its manifest's lines a new form."""
    writer = begin(tmp_path)
    writer.temporary_path("rows").write_bytes(b"one")
    writer.commit_part("rows", "rows:customers", rows=1)
    writer.finalise({"rows": 1})
    manifest = writer.directory / MANIFEST

    def edit(change) -> Path:
        lines = manifest.read_text(encoding="utf-8").splitlines(keepends=True)
        manifest.write_text("".join(change(lines)), encoding="utf-8")
        return tmp_path

    return edit


@pytest.mark.parametrize(
    "change",
    [
        lambda lines: [lines[0], lines[2]],
        lambda lines: ['{"a":1}\n', *lines],
        lambda lines: lines[1:],
        lambda lines: [lines[0], "5\n", *lines[1:]],
        lambda lines: [lines[0], lines[1].replace('"role"', '"rule"'), lines[2]],
    ],
    ids=["a part taken out", "a line put before", "no start", "a number", "a key renamed"],
)
def test_a_manifest_that_was_edited_is_refused(edited, change) -> None:
    home = edited(change)
    with pytest.raises(LandingDamagedError) as error:
        read_landings(home)
    assert MANIFEST in str(error.value)
    assert "backup" in error.value.what_to_do
    assert len(verify_landings(home).damages) == 1


def test_verify_tells_a_file_that_the_manifest_no_longer_names(tmp_path) -> None:
    writer = begin(tmp_path)
    put(writer, "a", b"one")
    writer.finalise({"rows": 0})
    assert verify_landings(tmp_path).damages == ()
    (writer.directory / "b").write_bytes(b"two")
    (damage,) = verify_landings(tmp_path).damages
    assert damage.path == "billing/customers/0000000001/b"
    assert "not recorded" in damage.fault


def test_a_landing_that_cannot_be_written_any_more_says_where(tmp_path, monkeypatch) -> None:
    begin(tmp_path)

    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr("filelock.FileLock.acquire", refuse)
    with pytest.raises(PermanentSourceError, match="cannot be written: Read-only") as error:
        LandingStore(tmp_path).__enter__()
    assert "--home" in error.value.what_to_do
