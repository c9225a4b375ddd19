"""Joined leads: a join is remembered once, and a hold finds what was claimed under a former id."""

from __future__ import annotations

from datetime import datetime

from payouts.holds import Hold, with_former_leads
from payouts.lead_joins import former_lead_ids, load_lead_joins, record_lead_joins

NOW = datetime(2026, 3, 1, 2, 0)


def test_join_is_recorded_once_whatever_the_number_of_nights(world) -> None:
    assert len(record_lead_joins(world.store, [("lead_b", "lead_a")], NOW)) == 1
    assert record_lead_joins(world.store, [("lead_b", "lead_a")], NOW) == []
    with world.store.read() as connection:
        assert [join.alias_lead_id for join in load_lead_joins(connection)] == ["lead_b"]


def test_joins_are_kept_in_events_of_at_most_500(world) -> None:
    pairs = [(f"lead_{number:04}", "lead_a") for number in range(1201)]
    assert len(record_lead_joins(world.store, pairs, NOW)) == 1201
    with world.store.read() as connection:
        assert len(former_lead_ids(connection, "lead_a")) == 1202


def test_former_ids_are_found_through_leads_that_joined_in_turn(world) -> None:
    record_lead_joins(world.store, [("lead_c", "lead_b")], NOW)
    record_lead_joins(world.store, [("lead_b", "lead_a")], NOW)
    with world.store.read() as connection:
        assert former_lead_ids(connection, "lead_a") == {"lead_a", "lead_b", "lead_c"}
        assert former_lead_ids(connection, "lead_c") == {"lead_c"}


def test_hold_on_a_lead_covers_its_former_ids_and_other_holds_stay_as_they_are(world) -> None:
    record_lead_joins(world.store, [("lead_b", "lead_a")], NOW)
    on_lead = Hold("h-1", "lead", "lead_a", "why", True, "2026-01-01T00:00:00.000000Z", None)
    on_line = Hold("h-2", "line", "lead_a", "why", True, "2026-01-01T00:00:00.000000Z", None)
    with world.store.read() as connection:
        covered = with_former_leads(connection, [on_lead, on_line])
    assert [(hold.hold_id, hold.subject_id) for hold in covered] == [
        ("h-1", "lead_a"),
        ("h-1", "lead_b"),
        ("h-2", "lead_a"),
    ]
