"""Comparing a night with the oracle, key by key."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.oracle import Result
from tests.workspaces import PostedNight

KEY = "kind, component_id, source_type, source_id, partner_id, cause_type, cause_id"


def different(expected: Mapping[Any, Any], found: Mapping[Any, Any]) -> dict[Any, tuple]:
    """(expected, found) by key, where they differ."""
    return {
        key: (expected.get(key), found.get(key))
        for key in sorted(expected.keys() | found.keys())
        if expected.get(key) != found.get(key)
    }


def assert_equals_oracle(night: PostedNight, expected: Result) -> int:
    """Verdicts, desired lines and unpaid reasons are equal. Returns the number of lines."""
    assert different(expected.submissions, _verdicts(night)) == {}
    lines = _expected_lines(expected)
    assert different(lines, _desired_lines(night)) == {}
    unpaid = dict(
        night.rows("SELECT invoice_line_id, reason FROM intermediate.int_commission__unpaid_lines")
    )
    assert different(expected.unpaid, unpaid) == {}
    return len(lines)


def _verdicts(night: PostedNight) -> dict[str, tuple]:
    return {
        key: tuple(rest)
        for key, *rest in night.rows(
            "SELECT submission_key, partner_id, verdict, rival_key "
            "FROM intermediate.int_leads__verdicts"
        )
    }


def _desired_lines(night: PostedNight) -> dict[tuple, tuple]:
    # No source dates a void: the available date of its correction is a decision, not a rule.
    return {
        tuple(row[:7]): tuple(row[7:])
        for row in night.rows(
            f"""
            SELECT {KEY}, amount_minor, currency_code, payout_amount_minor, payout_currency_code,
                plan_id, plan_version, earned_at, fx_rate_date,
                CASE WHEN kind <> 'correction' THEN available_date END
            FROM intermediate.int_journal__desired
            """
        )
    }


def _expected_lines(expected: Result) -> dict[tuple, tuple]:
    return {
        line.natural_key: (
            line.amount_minor,
            line.currency_code,
            line.payout_amount_minor,
            line.payout_currency_code,
            line.plan_id,
            str(line.plan_version),
            line.earned_at,
            line.fx_rate_date,
            None if line.kind == "correction" else line.available_date,
        )
        for line in expected.lines
    }
