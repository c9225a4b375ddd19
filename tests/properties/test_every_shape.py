"""Random programmes in which every shape of terms occurs, over random histories: all agree.

One programme shares credits and recomputes, the other pins; one reports in dollars, the other in
yen. Each is computed in a single night, and again over several nights to which facts are told late.
"""

from __future__ import annotations

import hashlib
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from orchestration.recompute import DIFFERS, MATCHES, check_entry, key_sums, read_explanation
from tests.oracle import Result, compute
from tests.oracle.billing import Billing
from tests.oracle.facts import Book, Facts
from tests.oracle.rulings import Ruling
from tests.properties.comparison import (
    KEY,
    assert_cuts_equal_oracle,
    assert_equals_oracle,
    assert_leads_equal_oracle,
    assert_rates_equal_oracle,
    different,
    different_but_for_rulings,
    referred_earnings,
    with_reference,
)
from tests.properties.decisions import ROLES, rule_on
from tests.properties.shape_histories import build_shapes
from tests.properties.shape_nights import told_by_night
from tests.properties.shape_programmes import programme
from tests.workspaces import PostedNight, post_night, read_program, write_drop, write_workspace

pytestmark = pytest.mark.sql

AS_OF = date(2026, 3, 31)
NIGHTS = (date(2025, 8, 31), date(2025, 12, 15), AS_OF)
RULINGS = 25
RULED_AT = datetime(2025, 12, 20, 12)
SPLITS = ({}, {"p_eur": 1_000_000}, {"p_usd": 250_000, "p_new": 750_000})
PROGRAMMES: dict[str, dict[str, Any]] = {
    "shared": {
        "seed": 61,
        "timezone": "America/New_York",
        "reporting_currency": "USD",
        "lead": {"valid_when": "demo_booked", "protection_days": 60},
        "attribution": {
            "model": "linear",
            "conversion_window_days": 200,
            "after_earning": "recompute",
        },
    },
    "pinned": {
        "seed": 62,
        "timezone": "Asia/Tokyo",
        "reporting_currency": "JPY",
        "lead": {"valid_when": "signup", "scope": "person"},
        "attribution": {"model": "position_based", "after_earning": "pin"},
    },
}


@dataclass(frozen=True)
class Outcome:
    """A posted night over the facts of a programme, and what the oracle says of it."""

    name: str
    facts: Facts
    night: PostedNight
    expected: Result


def _text(name: str) -> str:
    return programme(**PROGRAMMES[name])


def _expected(
    leads: Mapping[str, frozenset[str]],
    name: str,
    facts: Facts,
    as_of: date,
    before: Result | None = None,
    rulings: Sequence[Ruling] = (),
) -> Result:
    """What the oracle says, with the lead ids of the night, after the night before."""
    return compute(
        facts,
        read_program(_text(name)),
        as_of,
        lead_ids={members: lead_id for lead_id, members in leads.items()},
        pins=before.pins if before else (),
        posted=before.posted if before else None,
        rulings=rulings,
    )


@pytest.fixture(scope="module", params=list(PROGRAMMES))
def outcome(request, tmp_path_factory) -> Outcome:
    """The single night of a programme."""
    root = tmp_path_factory.mktemp(request.param)
    facts = build_shapes(PROGRAMMES[request.param]["seed"], companies=60, subscribers=260)
    workspace = write_workspace(root / "workspace", _text(request.param), facts)
    night = post_night(workspace, root / "var", AS_OF, marts=["fct_cap_cuts"])
    program = read_program(_text(request.param))
    leads = assert_leads_equal_oracle(night, compute(facts, program, AS_OF))
    expected = _expected(leads, request.param, facts, AS_OF)
    return Outcome(request.param, facts, night, expected)


def test_lines_take_backs_bonuses_shares_and_reasons_equal_oracle(outcome: Outcome) -> None:
    assert assert_equals_oracle(outcome.night, outcome.expected) > 1500
    kinds = Counter(line.kind for line in outcome.expected.lines)
    assert kinds.keys() >= {"earning", "bonus", "refund", "chargeback", "credit_note", "churn"}
    shares = [row for row in outcome.expected.lines if row.source_type == "commission"]
    assert sum(row.kind != "earning" for row in shares) > 20
    assert kinds["bonus"] > 20
    reasons = Counter(outcome.expected.unpaid.values())
    assert reasons["capped"] > 50
    assert reasons["stopped_after_gap"] > 0


def test_cuts_equal_oracle(outcome: Outcome) -> None:
    assert assert_cuts_equal_oracle(outcome.night, outcome.expected) > 300
    caps = Counter(cap for cut in outcome.expected.cuts.values() for cap in cut.by_cap)
    assert min(caps.values()) > 5
    assert len(caps) == 4


def test_rates_equal_oracle(outcome: Outcome) -> None:
    assert assert_rates_equal_oracle(outcome.night, outcome.expected) > 500


def test_every_paid_line_is_earned_or_unpaid(outcome: Outcome) -> None:
    _assert_conserved(outcome.night, outcome.facts, outcome.name, AS_OF)


def test_every_entry_can_be_recomputed_from_its_explanation(outcome: Outcome) -> None:
    shapes = _recomputed_shapes(outcome.night)
    assert min(shapes[shape] for shape in ("line", "bonus", "referral", "takeback")) > 20


# --- several nights ---------------------------------------------------------------------------


@dataclass(frozen=True)
class Told:
    """What each of several nights left behind, and the oracle's word on each.

    sums: by natural key what is posted so far. new_entries: of each night. segments: digests of the
    journal's files by name.
    """

    home: Path
    workspace: Path
    rulings: list[Ruling]
    expected: list[Result]
    sums: list[dict[tuple, tuple]]
    new_entries: list[int]
    segments: list[dict[str, str]]


def _tell(root: Path, name: str, *, is_ruled: bool) -> Told:
    """The nights of one home; each says what the oracle says, and conserves every line.

    is_ruled: words of the directory change, and before the last night people rule on some leads.
    """
    seed = PROGRAMMES[name]["seed"]
    facts = build_shapes(seed + 10, companies=30, subscribers=140)
    for row in facts["customers"]:  # none is billed before it exists
        row["created_at"] = "2024-12-31"
    nights = told_by_night(facts, len(NIGHTS), seed + 20, directory_changes=is_ruled)
    workspace = write_workspace(root / "workspace", _text(name) + ROLES)
    told = Told(root / "var", workspace, [], [], [], [], [])
    leads: dict[str, frozenset[str]] = {}
    for known, as_of in zip(nights, NIGHTS, strict=True):
        write_drop(workspace / "drop", known)
        if as_of == NIGHTS[-1] and is_ruled:
            told.rulings.extend(_rule(told, leads, random.Random(seed + 30)))
        night = post_night(workspace, told.home, as_of)
        before = told.expected[-1] if told.expected else None
        leads = assert_leads_equal_oracle(night, compute(known, read_program(_text(name)), as_of))
        told.expected.append(_expected(leads, name, known, as_of, before, told.rulings))
        assert_equals_oracle(night, told.expected[-1], before.bonuses if before else ())
        _assert_conserved(night, known, name, as_of)
        told.sums.append(_sums(night))
        told.new_entries.append(night.new_entries)
        told.segments.append(_segments(told.home))
    _recomputed_shapes(night)
    return told


def _rule(told: Told, leads: dict[str, frozenset[str]], chance: random.Random) -> list[Ruling]:
    """Rulings on leads as the night before knew them, of which most had earned."""
    earned = [a.members for a in told.expected[-1].attributions.values() if a.paying_ppm]
    by_record = {min(members): lead_id for lead_id, members in leads.items() if members in earned}
    rulings = [
        Ruling(record, chance.choice(SPLITS), leads[by_record[record]])
        for record in chance.sample(sorted(by_record), RULINGS)
    ]
    rule_on(told.workspace, told.home, by_record, rulings, RULED_AT)
    return rulings


@pytest.fixture(scope="module")
def recomputed(tmp_path_factory) -> Told:
    """The nights of the programme that recomputes."""
    return _tell(tmp_path_factory.mktemp("recomputed"), "shared", is_ruled=False)


@pytest.fixture(scope="module")
def pinned(tmp_path_factory) -> Told:
    """The nights of the programme that pins, with rulings and a directory that changes."""
    return _tell(tmp_path_factory.mktemp("pinned"), "pinned", is_ruled=True)


@pytest.fixture(params=["recomputed", "pinned"])
def told(request) -> Told:
    """Each of the two."""
    return request.getfixturevalue(request.param)


def test_nights_post_what_the_oracle_says(told: Told) -> None:
    for sums, expected in zip(told.sums, told.expected, strict=True):
        wanted = {
            line.natural_key: (
                line.amount_minor,
                line.currency_code,
                line.payout_amount_minor,
                line.payout_currency_code,
            )
            for line in expected.lines
        }
        assert different_but_for_rulings(wanted, sums) == {}
    assert len(told.sums[-1]) > 800


def test_earlier_entries_never_change(told: Told) -> None:
    for before, after in zip(told.segments, told.segments[1:], strict=False):
        assert before.items() <= after.items()
    assert len(told.segments[-1]) == len(NIGHTS)
    assert min(told.new_entries) > 0


def test_pins_and_rulings_are_held_against_facts_told_late(pinned: Told) -> None:
    leads = pinned.expected[-1].attributions.values()
    pins = [lead for lead in leads if lead.is_pinned and not lead.is_ruled]
    assert sum(lead.paying_ppm != lead.computed_ppm for lead in pins) > 5
    assert sum(key[0] == "ruling" for key in pinned.sums[-1]) > 30


def test_late_facts_come_to_the_single_night_but_for_bonuses(recomputed: Told, tmp_path) -> None:
    """A bonus that was posted stays; nothing else may depend on when a fact was told."""
    single = _sums(post_night(recomputed.workspace, tmp_path / "var", AS_OF))
    several = recomputed.sums[-1]
    changed = different(single, several).keys()
    assert {key for key in changed if key[0] != "bonus"} == set()
    assert {key for key in single if key[0] == "bonus"} <= several.keys()


def test_a_night_run_again_posts_nothing(recomputed: Told) -> None:
    assert post_night(recomputed.workspace, recomputed.home, AS_OF).new_entries == 0
    assert _segments(recomputed.home) == recomputed.segments[-1]


def _segments(home: Path) -> dict[str, str]:
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted((home / "journal").glob("*.parquet"))
    }


def _sums(night: PostedNight) -> dict[tuple, tuple]:
    """What the journal adds up to by natural key; what adds up to nothing is left out."""
    references = referred_earnings(night)
    kind, *others = KEY.split(", ")
    rows = night.rows(
        f"SELECT entry_kind AS {kind}, {', '.join(others)}, sum(amount_minor), currency_code, "
        "sum(payout_amount_minor), payout_currency_code FROM raw.journal__entries "
        "GROUP BY ALL HAVING sum(amount_minor) <> 0 OR sum(payout_amount_minor) <> 0"
    )
    sums = {with_reference(row[:7], references): tuple(row[7:]) for row in rows}
    assert len(sums) == len(rows), "one key in two currencies"
    return sums


def _recomputed_shapes(night: PostedNight) -> Counter:
    """C8: recomputing from the explanation gives the same cents. Returns how many by shape."""
    columns = [
        name for (name,) in night.rows("SELECT column_name FROM (DESCRIBE raw.journal__entries)")
    ]
    rows = night.rows(f"SELECT {', '.join(columns)} FROM raw.journal__entries")
    entries = [dict(zip(columns, row, strict=True)) for row in rows]
    sums = key_sums(entries)
    checks = [
        check_entry(
            entry | {"explanation": read_explanation(entry["explanation"])},
            sums[entry["entry_id"]],
        )
        for entry in entries
    ]
    assert [check for check in checks if check.result == DIFFERS] == []
    return Counter(check.shape for check in checks if check.result == MATCHES)


def _assert_conserved(night: PostedNight, facts: Facts, name: str, as_of: date) -> None:
    """B6: a paid line is earned or unpaid for one reason; the journal comes to what is desired."""
    nets = dict(
        night.rows(
            "SELECT source_id, sum(amount_minor) FROM intermediate.int_journal__desired "
            "WHERE source_type = 'invoice_line' GROUP BY source_id"
        )
    )
    reasons = night.rows(
        "SELECT invoice_line_id, count(*) FROM intermediate.int_commission__unpaid_lines GROUP BY 1"
    )
    assert {count for _, count in reasons} == {1}
    unpaid = {line_id for line_id, _ in reasons}
    # What stands under a ruling that took it away from everybody comes to nothing.
    earned = {line_id for line_id, net in nets.items() if net}
    assert not earned & unpaid
    billing = Billing(Book(facts, PROGRAMMES[name]["timezone"], as_of))
    paid = {
        line.line_id
        for invoice in billing.invoices.values()
        if invoice.paid_share > 0
        for line in invoice.lines
    }
    assert earned | unpaid <= paid <= nets.keys() | unpaid
    open_differences = """
        SELECT commission_id FROM (
            SELECT commission_id, amount_minor, payout_amount_minor
            FROM intermediate.int_journal__desired
            UNION ALL
            SELECT commission_id, -amount_minor, -payout_amount_minor FROM raw.journal__entries
        ) GROUP BY commission_id HAVING sum(amount_minor) <> 0 OR sum(payout_amount_minor) <> 0
        """
    assert night.rows(open_differences) == []
