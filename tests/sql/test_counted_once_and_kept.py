"""What is counted once, and what late words of others leave alone: whole nights, by hand.

Each case is the dated example of a decision record; the oracle says the same. What does not belong
here: single branches of a model (its dbt unit tests).
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from tests.oracle import compute
from tests.oracle.builder import World
from tests.workspaces import PostedNight, post_night, read_program, write_drop, write_workspace

pytestmark = pytest.mark.sql

HEAD = """\
program: {id: t, name: T, legal_entity: T Inc, timezone: UTC, reporting_currency: USD}
payouts: {rails: {default: csv}}
lead: [{effective_from: 2020-01-01}]
attribution: [{effective_from: 2020-01-01}]
"""
CURRENT_TRIGGERS = (
    HEAD
    + """\
plans:
  - id: standard
    versions:
      - effective_from: 2025-01-01
        terms_follow: current
        components: [{id: bounty, kind: event, trigger: demo_booked, amount: {USD: 50.00}}]
      - effective_from: 2026-02-01
        terms_follow: current
        components: [{id: bounty, kind: event, trigger: demo_held, amount: {USD: 80.00}}]
groups: {default: standard}
"""
)
STOPPING = (
    HEAD
    + """\
plans:
  - id: standard
    versions:
      - effective_from: 2025-01-01
        components:
          - id: recurring
            kind: recurring
            rate: 0.20
            duration: {months: 12}
            reactivation: {mode: stop, gap_days: 60}
groups: {default: standard}
"""
)
REFERRING = (
    HEAD
    + """\
plans:
  - id: standard
    versions:
      - effective_from: 2025-01-01
        components:
          - {id: recurring, kind: recurring, rate: 0.20}
          - {id: share, kind: partner_referral, rate: 0.10, months: 6}
groups: {default: standard}
"""
)
GROUPS = (
    HEAD
    + """\
plans:
  - id: standard
    versions:
      - {effective_from: 2025-01-01, components: [{id: r, kind: recurring, rate: 0.20}]}
  - id: gold
    versions:
      - {effective_from: 2025-01-01, components: [{id: r, kind: recurring, rate: 0.30}]}
groups: {default: standard, gold: gold}
overrides: [{partner_id: p_a, plan: standard, effective_from: 2025-07-01}]
"""
)


class Home:
    """Nights over a growing world; the journal of each is held against the oracle."""

    def __init__(self, root: Path, program: str) -> None:
        self.root, self.program = root, program
        self.before: Any = None
        self.workspace = write_workspace(root / "workspace", program, {})

    def night(self, world: World, as_of: str, *, is_oracle_asked: bool = True) -> PostedNight:
        write_drop(self.workspace / "drop", world.facts)
        night = post_night(self.workspace, self.root / "var", date.fromisoformat(as_of))
        if is_oracle_asked:
            self.before = compute(
                world.facts,
                read_program(self.program),
                date.fromisoformat(as_of),
                pins=self.before.pins if self.before else (),
                posted=self.before.posted if self.before else None,
            )
            expected: dict[str, int] = {}
            for row in self.before.lines:
                name = f"{row.component_id} {row.partner_id}"
                expected[name] = expected.get(name, 0) + row.amount_minor
            assert _sums(night, "component_id || ' ' || partner_id") == expected
        return night


def _sums(night: PostedNight, by: str = "source_id") -> dict[str, int]:
    return dict(
        night.rows(f"SELECT {by}, sum(amount_minor) FROM raw.journal__entries GROUP BY ALL")
    )


def _service(world: World, number: int, start: str, end: str, paid_at: str) -> None:
    line = {"amount_minor": 10000, "period_start": start, "period_end": end}
    world.invoice(f"i{number}", start, line, customer_id="cus_a", paid_at=paid_at,
                  total_minor=10000)  # fmt: skip


def _world() -> World:
    world = World()
    for row in world.facts["partners"]:
        row["status"] = "active"
    return world


def test_component_that_changes_its_trigger_pays_one_meeting_once(tmp_path) -> None:
    world = _world().click("t1", "2026-01-05").click("t2", "2026-01-05", email="b@two.test")
    world.booked("m1", "2026-01-10", "held", starts_at="2026-02-10")
    world.booked("m2", "2026-01-10", "no_show", starts_at="2026-01-20", email="b@two.test")
    world.booked("m3", "2026-01-25", "held", starts_at="2026-02-10", email="b@two.test")
    night = Home(tmp_path, CURRENT_TRIGGERS).night(world, "2026-02-28")
    assert _sums(night) == {"m1": 5000, "m2": 5000, "m3": 8000}
    assert night.rows(
        "SELECT source_id, stage FROM intermediate.int_commission__judged_events "
        "WHERE reason = 'other_trigger_counts'"
    ) == [("m1", "demo_held")]


def test_older_invoice_paid_late_takes_back_nothing_and_fills_gaps(tmp_path) -> None:
    home, world = Home(tmp_path, STOPPING), _world().buyer("a", "2026-02-20")
    _service(world, 1, "2026-03-01", "2026-04-01", "2026-03-02")
    assert _sums(home.night(world, "2026-03-10")) == {"i1-1": 2000}
    _service(world, 2, "2025-11-01", "2025-12-01", "2026-03-20")
    _service(world, 3, "2026-07-01", "2026-08-01", "2026-07-01")
    night = home.night(world, "2026-07-31")
    assert _sums(night) == {"i1-1": 2000}
    assert night.rows(
        "SELECT invoice_line_id, reason FROM intermediate.int_commission__unpaid_lines ORDER BY 1"
    ) == [("i2-1", "outside_duration"), ("i3-1", "stopped_after_gap")]
    _service(world, 4, "2026-05-01", "2026-07-01", "2026-08-15")
    assert _sums(home.night(world, "2026-08-31")) == {"i1-1": 2000, "i3-1": 2000, "i4-1": 2000}


@pytest.mark.parametrize(
    ("joined_at", "march"), [("2025-02-01", 200), ("2026-02-20", 400), ("", 200)]
)
def test_day_of_joining_that_the_directory_moves_leaves_posted_shares(
    tmp_path, joined_at, march
) -> None:
    home, world = Home(tmp_path, REFERRING), _world().buyer("a", "2026-02-01")
    world.facts["partners"][0] |= {"referred_by": "p_b", "joined_at": "2026-01-31"}
    world.bill("i1", "a", "2026-02-10", 10000)
    assert _sums(home.night(world, "2026-02-28"), "partner_id") == {"p_a": 2000, "p_b": 200}
    world.facts["partners"][0]["joined_at"] = joined_at
    world.bill("i2", "a", "2026-03-10", 10000)
    assert _sums(home.night(world, "2026-03-31"), "partner_id") == {"p_a": 4000, "p_b": march}


def test_override_that_names_the_groups_plan_lets_no_older_lead_forget_it(tmp_path) -> None:
    """The oracle knows today's groups alone."""
    home, world = Home(tmp_path, GROUPS), _world().buyer("a", "2025-05-20")
    world.bill("i1", "a", "2025-06-01", 10000)
    assert _sums(home.night(world, "2025-06-30")) == {"i1-1": 2000}
    world.facts["partners"][0]["group"] = "gold"
    world.bill("i2", "a", "2025-08-01", 10000)
    night = home.night(world, "2025-08-05", is_oracle_asked=False)
    assert _sums(night) == {"i1-1": 2000, "i2-1": 2000}
