"""What was known when: a cut that is the same whenever it is asked for."""

import shutil
from datetime import date, datetime

import pytest
import typer
from known_world import OTHER, PARTNER, Ledger, entry

from orchestration.cli_common import CommandError
from orchestration.known_batches import known_batches, show_known
from orchestration.known_ledger import (
    balances,
    known_claims,
    known_entries,
    known_holds,
    with_states,
)
from orchestration.known_partner import known_last_closed
from payouts import events
from payouts.closing import close_period, reopen_period
from payouts.payees import record_payee
from payouts.store import open_store
from payouts.terms import ApprovalRules
from tests.unit.payouts.payout_world import BEN, DAN

EARNED = date(2026, 1, 1)
DAYS = (date(2026, 1, 30), date(2026, 1, 31), date(2026, 2, 1), date(2026, 2, 2))


@pytest.fixture(scope="module")
def ledger(tmp_path_factory):
    """The story for tests that only look."""
    ledger = told(tmp_path_factory.mktemp("known") / "home")
    yield ledger
    ledger.store.close()


@pytest.fixture
def own_ledger(tmp_path):
    """The story for a test that goes on with it."""
    ledger = told(tmp_path / "home")
    yield ledger
    ledger.store.close()


@pytest.fixture
def own_home(ledger, tmp_path):
    """A copy of the story in which something can be decided, but no night be run."""
    home = shutil.copytree(ledger.home, tmp_path / "home")
    copied = Ledger(home, open_store(home, synchronous="OFF"), None)
    yield copied
    copied.store.close()


def told(home):
    """Four nights, each at 3 o'clock: 100.00 is available by 31 January; its batch is approved on
    1 February, exported on the 2nd at noon; the night of the 2nd posts a refund of it."""
    ledger = Ledger.begun(home)
    ledger.night(DAYS[0], datetime(2026, 1, 31, 3), entry("l1", 10_000, EARNED))
    ledger.night(DAYS[1], datetime(2026, 2, 1, 3), entry("l2", 7_000, date(2026, 1, 20)))
    ledger.approve_at(datetime(2026, 2, 1, 10), datetime(2026, 2, 1, 11))
    ledger.night(DAYS[2], datetime(2026, 2, 2, 3))
    ledger.export_at(datetime(2026, 2, 2, 12), DAYS[2])
    earned = entry("l1", 10_000, EARNED)
    refund = entry(
        "l1", -2_500, date(2026, 2, 1), entry_kind="refund", cause_id="r1",
        reverses_entry_id=earned["entry_id"], available_date=date(2026, 2, 1),
    )  # fmt: skip
    ledger.night(DAYS[3], datetime(2026, 2, 3, 3), refund)
    return ledger


def partner(ledger, asked, partner_id=PARTNER):
    """Entries with their states, and the one balance."""
    known = ledger.known(asked)
    with ledger.store.read() as connection:
        entries = known_entries(connection, ledger.home, known, partner_id)
        claims = known_claims(connection, ledger.home, known, partner_id)
        rows = with_states(entries, known, claims, known_holds(connection, known))
    return rows, balances(rows)


def states(ledger, asked):
    rows, _ = partner(ledger, asked)
    return {(row["entry_kind"], row["source_id"]): row["state"] for row in rows}


def batch_state(ledger, asked):
    with ledger.store.read() as connection:
        return [batch.summary.state for batch in known_batches(connection, ledger.known(asked))]


@pytest.mark.parametrize(
    ("asked", "segment", "as_of", "state"),
    [
        ("2026-01-29", 0, None, []),
        ("2026-01-30", 1, DAYS[0], []),
        # The night of the 31st proposed the batch, hours after the day had ended.
        ("2026-01-31", 2, DAYS[1], ["proposed"]),
        ("2026-02-01T09:00", 2, DAYS[1], ["proposed"]),
        ("2026-02-01T10:30", 2, DAYS[1], ["partnerships_approved"]),
        ("2026-02-01", 2, DAYS[2], ["finance_approved"]),
        # The export came after the night of the 1st: it belongs to the 2nd.
        ("2026-02-02T11:59", 2, DAYS[2], ["finance_approved"]),
        ("2026-02-02T12:00", 3, DAYS[2], ["exported"]),
        ("2026-02-02", 4, DAYS[3], ["exported"]),
        ("2027-01-01", 4, DAYS[3], ["exported"]),
        ("segment:1", 1, DAYS[0], []),
        ("segment:2", 2, DAYS[1], ["proposed"]),
        ("segment:3", 3, DAYS[2], ["exported"]),
        (None, 4, DAYS[3], ["exported"]),
    ],
)
def test_a_day_stands_for_its_night_and_an_instant_for_what_people_had_done(
    ledger, asked, segment, as_of, state
):
    known = ledger.known(asked)
    assert (known.segment, known.as_of) == (segment, as_of)
    assert batch_state(ledger, asked) == state


def test_days_end_in_the_programmes_zone(ledger):
    # The night of 30 January ends at midnight UTC: in New York it is still the evening before.
    assert ledger.known("2026-01-30T18:00", "America/New_York").segment == 0
    assert ledger.known("2026-01-30T19:00", "America/New_York").segment == 1
    # Only the day after ends later than a night in UTC.
    assert ledger.known("2026-01-29", "America/New_York").segment == 0
    assert ledger.known("2026-01-30", "America/New_York").segment == 1


def test_a_replay_long_after_gives_the_same_cuts(tmp_path):
    """All wall clocks stand still in 2027; days are told apart by their nights alone."""
    late = datetime(2027, 5, 1, 3)
    ledger = Ledger.begun(tmp_path / "home")
    ledger.night(DAYS[0], late, entry("l1", 10_000, EARNED))
    ledger.night(DAYS[1], late)
    ledger.approve_at(late, late)
    ledger.export_at(late, DAYS[1])
    ledger.night(DAYS[2], late, entry("l2", 500, date(2026, 2, 1)))
    assert [batch_state(ledger, f"{day}") for day in DAYS[:3]] == [[], ["proposed"], ["exported"]]
    assert [ledger.known(f"{day}").segment for day in DAYS[:3]] == [1, 1, 3]
    ledger.store.close()


def test_a_day_without_a_night_counts_what_people_did_on_it(tmp_path):
    ledger = Ledger.begun(tmp_path / "home")
    ledger.night(DAYS[1], datetime(2026, 2, 1, 3), entry("l1", 10_000, EARNED))
    ledger.approve_at(datetime(2026, 2, 4, 10), datetime(2026, 2, 4, 11))
    ledger.export_at(datetime(2026, 2, 6, 9), DAYS[1])
    found = {day: batch_state(ledger, f"2026-02-0{day}") for day in (1, 3, 4, 5, 6)}
    assert found == {
        1: ["proposed"], 3: ["proposed"], 4: ["finance_approved"], 5: ["finance_approved"],
        6: ["exported"],
    }  # fmt: skip
    ledger.night(date(2026, 2, 9), datetime(2026, 2, 10, 3))
    assert {day: batch_state(ledger, f"2026-02-0{day}") for day in (1, 3, 4, 5, 6)} == found
    ledger.store.close()


def test_a_night_that_is_run_again_belongs_to_its_day(own_ledger):
    ledger = own_ledger
    ledger.night(DAYS[3], datetime(2026, 2, 3, 9), entry("l3", 100, DAYS[3]))
    assert ledger.known("2026-02-02").segment == 5
    assert ledger.known("2026-02-01").segment == 2
    assert ledger.known("segment:4").segment == 4


def test_what_was_known_stays_when_more_is_recorded(own_ledger):
    ledger = own_ledger
    asked = ["2026-01-30", "2026-01-31", "2026-02-01", "2026-02-01T10:30", "segment:3"]
    before = [(ledger.known(each), *partner(ledger, each)) for each in asked]
    ledger.night(date(2026, 2, 10), datetime(2026, 2, 11, 3), entry("l9", 999, EARNED))
    with ledger.store.write() as connection:
        events.append(
            connection, kind="hold_opened", subject="hold:h-9", actor="ben",
            recorded_at=datetime(2026, 2, 11, 9),
            payload={"subject_type": "partner", "subject_id": PARTNER}, reason="late",
        )  # fmt: skip
    assert [(ledger.known(each), *partner(ledger, each)) for each in asked] == before


def test_entries_have_the_states_of_that_day(ledger):
    earned, later = ("earning", "l1"), ("earning", "l2")
    assert states(ledger, "2026-01-30") == {earned: "on_hold"}
    assert states(ledger, "2026-01-31") == {earned: "in_batch", later: "on_hold"}
    after = states(ledger, "2026-02-02")
    assert (after[earned], after[later], after["refund", "l1"]) == ("paid", "on_hold", "available")
    payouts = [state for (kind, _), state in after.items() if kind == "payout"]
    assert payouts == ["paid"]
    # 7.00 of 20 January waits for 30 days: available on 19 February, also without a night.
    assert states(ledger, "2026-02-18")[later] == "on_hold"
    assert states(ledger, "2026-02-19")[later] == "available"


def test_balances_have_the_columns_of_the_mart(ledger):
    _, (balance,) = partner(ledger, "2026-02-02")
    assert balance == {
        "payout_currency_code": "USD", "earned_amount_minor": 17_000,
        "reversed_amount_minor": -2_500, "on_hold_amount_minor": 7_000,
        "available_amount_minor": -2_500, "in_batch_amount_minor": 0,
        "paid_amount_minor": -10_000, "balance_amount_minor": 4_500,
    }  # fmt: skip
    _, (before,) = partner(ledger, "2026-02-01")
    assert (before["in_batch_amount_minor"], before["paid_amount_minor"]) == (10_000, 0)
    assert partner(ledger, "2026-01-29") == ([], [])
    assert partner(ledger, "2026-02-02", OTHER) == ([], [])


@pytest.mark.parametrize(
    ("first", "earned", "reversed_"),
    [
        # 20.00 earned and refunded; then a cap leaves 8.00: the refund shrinks with the earning.
        (2_000, 800, -800),
        # A negative line earned -20.00, and -8.00 of it in the end.
        (-2_000, 0, 0),
    ],
)
def test_what_gives_back_is_earned_where_the_earning_began_negative(first, earned, reversed_):
    back = first * 12 // 20
    line = entry("l1", first, EARNED)
    refund = {"entry_kind": "refund", "cause_id": "r1"}
    less = entry("l1", -back, EARNED, ordinal=2)
    entries = [
        line,
        entry("l1", -first, EARNED, reverses_entry_id=line["entry_id"], **refund),
        less,
        entry("l1", back, EARNED, ordinal=2, reverses_entry_id=less["entry_id"], **refund),
    ]
    (balance,) = balances([{**each, "state": "available"} for each in entries])
    assert (balance["earned_amount_minor"], balance["reversed_amount_minor"]) == (earned, reversed_)


def test_the_last_closed_month_is_that_of_the_cut(own_home):
    rules = ApprovalRules({"finance": frozenset({BEN})})
    common = {"actor": BEN, "rules": rules, "reason": "reported"}
    store, home = own_home.store, own_home.home
    for day, period in ((3, "2025-12"), (4, "2026-01")):
        close_period(store, home, period=period, recorded_at=datetime(2026, 2, day, 9), **common)
    reopen_period(store, period="2026-01", recorded_at=datetime(2026, 2, 5, 9), **common)
    with store.read() as connection:
        found = [
            known_last_closed(connection, own_home.known(f"2026-02-0{day}")) for day in (2, 3, 4, 5)
        ]
    assert found == [None, "2025-12", "2026-01", "2025-12"]


@pytest.mark.parametrize(
    ("subject_type", "subject", "reason"),
    [
        ("partner", PARTNER, "partner_hold: why"),
        ("lead", "lead_1", "lead_hold: why"),
        ("lead", "lead_0", "lead_hold: why"),
        ("line", None, "line_hold: why"),
    ],
)
def test_a_hold_counts_from_its_opening_to_its_release(own_home, subject_type, subject, reason):
    ledger = own_home
    line = entry("l1", 10_000, EARNED)["commission_id"]
    payload = {"subject_type": subject_type, "subject_id": subject or line}
    clock = [datetime(2026, 2, 3, 9), datetime(2026, 2, 4, 9)]
    with ledger.store.write() as connection:
        events.append(
            connection, kind="leads_joined", subject="leads:joined", actor="system:night",
            recorded_at=clock[0], payload={"joins": [["lead_0", "lead_1"]]},
        )  # fmt: skip
        for kind, at in zip(("hold_opened", "hold_released"), clock, strict=True):
            events.append(
                connection, kind=kind, subject="hold:h-1", actor="ben", recorded_at=at,
                payload=payload if kind == "hold_opened" else {}, reason="why",
            )  # fmt: skip
    # The refund reverses the held earning, so it waits with it (R10); the earning was paid.
    assert states(ledger, "2026-02-02")["refund", "l1"] == "available"
    rows, (balance,) = partner(ledger, "2026-02-03")
    refund = next(row for row in rows if row["entry_kind"] == "refund")
    assert (refund["state"], refund["hold_reason"]) == ("held", reason)
    assert balance["available_amount_minor"] == 0
    assert states(ledger, "2026-02-04")["refund", "l1"] == "available"


def test_a_batch_is_shown_with_what_had_been_decided(ledger):
    batch_id = ledger.batch().batch_id
    with ledger.store.read() as connection:
        early = show_known(connection, batch_id, ledger.known("2026-01-31"))
        late = show_known(connection, batch_id, ledger.known("2026-02-02"))
        with pytest.raises(CommandError, match="had not been proposed"):
            show_known(connection, batch_id, ledger.known("2026-01-30"))
    assert (early.state.state, len(early.events), early.summary.state) == (
        "proposed",
        1,
        "proposed",
    )
    assert (late.state.state, len(late.events)) == ("exported", 4)
    assert early.items == late.items


def test_what_cannot_be_asked_is_refused(ledger, tmp_path):
    with pytest.raises(CommandError, match="no segment 9"):
        ledger.known("segment:9")
    for asked in ("soon", "2026-13-01", "segment:0", "segment:one"):
        with pytest.raises(typer.BadParameter):
            ledger.known(asked)
    empty = Ledger.begun(tmp_path / "empty")
    record_payee(empty.store, PARTNER, actor=DAN, recorded_at=datetime(2026, 1, 2), tax_form=False)
    with pytest.raises(CommandError, match="no night has been posted yet"):
        empty.known(None)
    assert empty.known("2026-01-31").segment == 0
    empty.store.close()
