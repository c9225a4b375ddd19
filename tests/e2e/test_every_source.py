"""Two nights over every kind of source at once; the cents stand in `every_source`."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date

import pytest
from every_source import FIRST_NIGHT, SECOND_NIGHT, SECRETS, World, start

from orchestration.night import run_night
from orchestration.result import NightResult
from orchestration.warehouse import open_working_file
from tests.compiled import run_compiled_night

pytestmark = pytest.mark.e2e

ENTRIES = """
select partner_id, entry_kind, component_id, source_id, amount_minor, currency_code,
    payout_amount_minor, payout_currency_code, cast(effective_date as varchar)
from marts.fct_commission_entries where {condition}
order by 1, 9, 4
"""


@dataclass(frozen=True)
class Nights:
    """Both nights, and what the working file held after each."""

    world: World
    first: NightResult
    second: NightResult
    first_rows: dict[str, list[tuple]]
    second_rows: dict[str, list[tuple]]


def read(world: World) -> dict[str, list[tuple]]:
    """What the tests look at."""
    queries = {
        "entries": ENTRIES.format(condition="true"),
        "exceptions": "select kind, subject from marts.fct_exceptions order by all",
        "submissions": (
            "select submission_key, partner_id, verdict from marts.fct_lead_submissions order by 1"
        ),
        "unpaid": "select invoice_line_id, reason from marts.fct_unpaid_lines order by 1",
        "streams": (
            "select source || '/' || stream, status from raw.ingest__streams where status <> 'ok' "
            "and rows_landed > 0 order by 1"
        ),
    }
    with open_working_file(world.home) as connection:
        return {name: connection.execute(query).fetchall() for name, query in queries.items()}


@pytest.fixture(scope="module")
def nights(tmp_path_factory):
    """January's night, what February brings, and February's night."""
    with ExitStack() as stack:
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        for name in SECRETS:
            patch.setenv(name, "secret-of-the-test")
        world = start(stack, tmp_path_factory.mktemp("every"))
        first = run_night(world.workspace, world.home, date(2026, 1, 31), clock=lambda: FIRST_NIGHT)
        first_rows = read(world)
        world.february()
        second = run_compiled_night(
            world.workspace, world.home, date(2026, 2, 21), clock=lambda: SECOND_NIGHT
        )
        yield Nights(world, first, second, first_rows, read(world))


JANUARY = [
    ("p1", "earning", "bounty", 5000, "USD", 5000, "USD", "2026-01-08"),
    ("p1", "earning", "recurring", 1800, "USD", 1800, "USD", "2026-01-10"),
    ("p1", "earning", "recurring", 900, "USD", 900, "USD", "2026-01-20"),
    ("p2", "earning", "bounty", 4500, "EUR", 4500, "EUR", "2026-01-12"),
    ("p2", "earning", "recurring", 2000, "USD", 1600, "EUR", "2026-01-17"),
]
FEBRUARY = [
    ("p1", "credit_note", "recurring", -225, "USD", -225, "USD", "2026-02-05"),
    ("p1", "refund", "recurring", -600, "USD", -600, "USD", "2026-02-03"),
    ("p2", "chargeback", "recurring", -2000, "USD", -1600, "EUR", "2026-02-20"),
]


def without_source(entries: list[tuple]) -> list[tuple]:
    """Entries without the id of what earned them, in an order that two lists share."""
    return sorted(row[:3] + row[4:] for row in entries)


def test_january_earns_what_was_worked_out_by_hand(nights: Nights) -> None:
    assert without_source(nights.first_rows["entries"]) == sorted(JANUARY)


def test_february_takes_back_what_was_worked_out_by_hand(nights: Nights) -> None:
    assert without_source(nights.second_rows["entries"]) == sorted(JANUARY + FEBRUARY)


def test_invoice_of_two_sources_earns_once_and_is_an_exception(nights: Nights) -> None:
    duplicates = [row for row in nights.first_rows["exceptions"] if row[0] == "duplicate_invoice"]
    assert len(duplicates) == 1
    assert "export-1" in duplicates[0][1]
    assert [row[3] for row in nights.first_rows["entries"] if row[4] == 1800] == ["il_A"]


def test_every_source_brings_its_submission_with_one_verdict(nights: Nights) -> None:
    found = {(row[0].split(":")[0], row[1], row[2]) for row in nights.first_rows["submissions"]}
    assert found == {
        ("forms", "p1", "valid"),
        ("crm", "p2", "valid"),
        ("calendar", "p2", "valid"),
    }


def test_cancelled_booking_makes_its_lead_wait_again(nights: Nights) -> None:
    (verdict,) = [
        row[2] for row in nights.second_rows["submissions"] if row[0].startswith("calendar:")
    ]
    assert verdict == "pending"


def test_second_night_asks_stripe_only_for_what_the_events_name(nights: Nights) -> None:
    paths = nights.world.stripe.paths()
    last_first = max(number for number, path in enumerate(paths) if path == "/v1/events")
    asked = [path for path in paths[last_first:] if path.count("/") == 3]
    assert {"/v1/disputes/dp_B", "/v1/credit_notes/cn_C"} <= set(asked)
    assert "/v1/invoices/in_A" not in asked
    assert "/v1/customers/cus_A" not in asked
