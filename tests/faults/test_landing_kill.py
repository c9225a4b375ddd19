"""kill -9 at every point of landing, re-reading and pruning: nothing lost, nothing twice."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import duckdb
import pytest

import ingest.reread
from ingest.errors import LandingBusyError
from ingest.landing import LandingStore, read_landings
from ingest.landing_admin import verify_landings
from ingest.objects import write_objects
from ingest.raw import load_raw
from tests.fakes.stripe_server import FakeStripe
from tests.faults import landing_worker
from tests.faults.landing_worker import NOW, act, slice_by_name, workspace

ROOT = Path(__file__).resolve().parents[2]
WORKER = Path(landing_worker.__file__)
CUSTOMERS = "/v1/customers"
HEADER = "partner_id,name,email\n"


@pytest.fixture
def fake() -> Iterator[FakeStripe]:
    """50 customers on ten pages; a pull has five parts of pages and five of rows."""
    listed = [{"id": f"cus_{number:03d}", "name": "old"} for number in range(50)]
    with FakeStripe(objects={CUSTOMERS: listed}, page_cap=5) as running:
        yield running


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_STRIPE_KEY", "rk_test")
    monkeypatch.setattr(ingest.reread, "write_objects", write_objects)


def start(root: Path, address: str, action: str, *death: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, str(WORKER), str(root), address, action, *death]
    return subprocess.Popen(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)})


def kill(root: Path, address: str, action: str, point: str, number: int) -> None:
    """Run the action in a process that dies by SIGKILL at a point."""
    assert start(root, address, action, point, str(number)).wait(60) == -signal.SIGKILL


def rows(root: Path, query: str) -> list[tuple]:
    connection = duckdb.connect()
    load_raw(connection, workspace(root, ""), root / "home")
    return connection.execute(query).fetchall()


def leftovers(root: Path) -> list[str]:
    """Files and folders of the landing that no manifest speaks of."""
    known = {root / "home/landing/.lock", root / "home/landing/last_ingest.json"}
    for landing in read_landings(root / "home"):
        known.add(landing.directory / "manifest.jsonl")
        known |= {landing.directory / part.name for part in landing.stored}
    found = {each for each in (root / "home/landing").rglob("*") if each.is_file()}
    return sorted(str(each) for each in found - known)


def require_whole(root: Path) -> None:
    """Every file is what was recorded, and no other file is there."""
    with LandingStore(root / "home"):
        pass
    assert verify_landings(root / "home").damages == ()
    assert leftovers(root) == []


COUNTS = (
    "select count(*), count(distinct object_id), count(distinct _row) from raw.stripe__customers"
)


@pytest.mark.parametrize(
    ("point", "number", "is_continued"),
    [
        ("half a part", 3, True),
        ("a part is written", 3, True),
        # The first record is the start of the landing.
        ("a part has its name", 4, True),
        ("half a record", 1, False),
        ("half a record", 4, True),
        ("half a file of rows", 1, True),
        ("half a file of rows", 3, True),
        ("a part is written", 8, True),
        ("a part has its name", 9, True),
        ("the final record", 1, True),
        ("half a record", 12, True),
    ],
)
def test_a_killed_pull_goes_on_and_loses_and_repeats_nothing(
    tmp_path, fake, point: str, number: int, is_continued: bool
) -> None:
    kill(tmp_path, fake.base_url, "pull", point, number)
    assert rows(tmp_path, COUNTS) == [(0, 0, 0)]
    before = {
        part.name: part.sha256
        for landing in read_landings(tmp_path / "home")
        for part in landing.parts
    }
    fake.log.clear()
    act(tmp_path, fake.base_url, "pull", NOW + timedelta(minutes=30))
    assert rows(tmp_path, COUNTS) == [(50, 50, 50)]
    (landing,) = read_landings(tmp_path / "home")
    pages = [part for part in landing.parts if part.role == "pages"]
    assert [part.rows for part in pages] == [2, 2, 2, 2, 2]
    kept = sum(name.startswith("pages") for name in before)
    assert len(fake.log) == 10 - 2 * kept
    assert bool(kept) is is_continued
    assert before.items() <= {part.name: part.sha256 for part in landing.parts}.items()
    require_whole(tmp_path)


@pytest.fixture
def landed(tmp_path, fake) -> Path:
    """Three pulls long ago, with changes in between."""
    for day in range(3):
        for each in fake.objects[CUSTOMERS][: 10 * day]:
            each["name"] = f"day {day}"
        act(tmp_path, fake.base_url, "pull", NOW + timedelta(days=day - 60))
    return tmp_path


@pytest.mark.parametrize(
    ("point", "number", "reread_before"),
    [
        # Seven parts of rows: five, one, and one of the last pull.
        ("a part is read again", 1, 0),
        ("a part is read again", 3, 0),
        ("half a file of rows", 2, 0),
        ("all is read again", 1, 0),
        ("a part has its name", 1, 0),
        ("half a record", 1, 0),
        ("all is read again", 2, 1),
        ("half a record", 2, 1),
        ("half a record", 3, 2),
    ],
)
def test_a_killed_reread_leaves_each_landing_as_it_was_or_as_it_will_be(
    landed, point: str, number: int, reread_before: int
) -> None:
    query = "select object_id, payload::varchar, _arrival, _row from raw.stripe__customers"
    before = rows(landed, f"{query} order by all")
    kill(landed, "http://127.0.0.1:9", "reread", point, number)
    assert rows(landed, f"{query} order by all") == before
    assert rows(
        landed,
        "select count(distinct _arrival) from raw.stripe__customers where parent_id is not null",
    ) == [(reread_before,)]
    require_whole(landed)

    slice_by_name()
    act(landed, "http://127.0.0.1:9", "reread")
    assert rows(landed, f"{query} where parent_id is not null order by all") == before
    assert [each.generation for each in read_landings(landed / "home")] == [1, 1, 1]
    require_whole(landed)


@pytest.mark.parametrize(
    ("point", "number"),
    [("half a record", 1), ("a file goes", 1), ("a file goes", 4), ("half a record", 2)],
)
def test_a_killed_pruning_leaves_nothing_unexplained(landed, point: str, number: int) -> None:
    query = "select * from raw.stripe__customers order by all"
    before = rows(landed, query)
    kill(landed, "http://127.0.0.1:9", "prune", point, number)
    assert verify_landings(landed / "home").damages == ()
    assert rows(landed, query) == before
    require_whole(landed)
    act(landed, "http://127.0.0.1:9", "prune")
    states = [each.state for each in read_landings(landed / "home")]
    assert states == ["pruned", "pruned", "final"]
    assert rows(landed, query) == before
    require_whole(landed)


def test_a_pruning_killed_while_a_dead_pull_goes_takes_it_whole(landed, fake) -> None:
    kill(landed, fake.base_url, "pull", "a part is written", 3)
    with LandingStore(landed / "home") as store:
        (dead,) = store.of_stream("billing", "customers")[3:]
        store.begin("billing", "customers", "stripe", NOW, {}).finalise({})
    # Opening the landing removes a folder, too; the second one is that of the pull.
    script = (
        "import sys; from datetime import timedelta; from pathlib import Path;"
        "from tests.faults import landing_worker as w; w.arm('a folder goes', 2);"
        "w.act(Path(sys.argv[1]), '', 'prune', w.NOW + timedelta(days=90))"
    )
    victim = subprocess.run(
        [sys.executable, "-c", script, str(landed)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=False,
    )
    assert victim.returncode == -signal.SIGKILL
    assert not dead.directory.exists()
    require_whole(landed)
    act(landed, "", "prune", NOW + timedelta(days=90))
    assert [each.arrival for each in read_landings(landed / "home")] == [1, 2, 3, 5]


@pytest.mark.parametrize(
    ("point", "number"),
    [
        ("half a record", 1),
        ("a part is written", 1),
        ("half a record", 2),
        ("a part is written", 2),
        ("the final record", 1),
        ("half a record", 4),
    ],
)
def test_a_killed_file_landing_is_made_again_whole(tmp_path, point: str, number: int) -> None:
    (tmp_path / "drop").mkdir()
    lines = "".join(f"p{number},Ann,a@b.example\n" for number in range(100))
    (tmp_path / "drop/partners.csv").write_text(HEADER + lines, encoding="utf-8")
    kill(tmp_path, "", "files", point, number)
    query = "select count(*), count(distinct partner_id) from raw.files__partners"
    assert rows(tmp_path, query) == [(0, 0)]
    act(tmp_path, "", "files", NOW + timedelta(hours=1))
    assert rows(tmp_path, query) == [(100, 100)]
    act(tmp_path, "", "files", NOW + timedelta(hours=2))
    assert rows(tmp_path, query) == [(100, 100)]
    require_whole(tmp_path)


def test_of_two_ingests_at_once_the_second_refuses_and_the_first_ends_well(tmp_path, fake) -> None:
    reached, released = threading.Event(), threading.Event()

    def hold(number: int) -> None:
        if number == 6:
            reached.set()
            released.wait(30)

    fake.on_request = hold
    first = start(tmp_path, fake.base_url, "pull")
    try:
        assert reached.wait(30)
        for action in ("pull", "reread", "prune"):
            with pytest.raises(LandingBusyError, match="another run is landing") as refused:
                act(tmp_path, fake.base_url, action)
            assert refused.value.is_transient
            assert "Wait" in refused.value.what_to_do
        assert verify_landings(tmp_path / "home").damages == ()
    finally:
        released.set()
    assert first.wait(60) == 0
    assert rows(tmp_path, COUNTS) == [(50, 50, 50)]
    assert len(fake.log) == 10
    require_whole(tmp_path)


def test_the_lock_of_a_killed_ingest_is_free_at_once(tmp_path, fake) -> None:
    kill(tmp_path, fake.base_url, "pull", "a part is written", 2)
    act(tmp_path, fake.base_url, "pull")
    assert rows(tmp_path, COUNTS) == [(50, 50, 50)]
