"""The SQL and an implementation written from the rules alone agree on every line."""

from datetime import date

import pytest

from tests.oracle import compute
from tests.properties import histories, programmes
from tests.workspaces import post_night, read_program, write_workspace

pytestmark = pytest.mark.sql

AS_OF = date(2026, 3, 31)
KEY = "kind, component_id, source_type, source_id, partner_id, cause_type, cause_id"


def _different(expected: dict, found: dict) -> dict:
    return {
        key: (expected.get(key), found.get(key))
        for key in sorted(expected.keys() | found.keys())
        if expected.get(key) != found.get(key)
    }


@pytest.mark.parametrize(
    ("program", "seed", "count"),
    [(programmes.MIXED, 11, 400), (programmes.FIRST_TOUCH_PERSONS, 12, 400)],
    ids=["mixed", "first_touch_persons"],
)
def test_warehouse_random_histories_equal_oracle(tmp_path, program, seed, count) -> None:
    facts = histories.build(seed, count)
    expected = compute(facts, read_program(program), AS_OF)
    workspace = write_workspace(tmp_path / "workspace", program, facts)
    night = post_night(workspace, tmp_path / "var", AS_OF)

    verdicts = {
        key: tuple(rest)
        for key, *rest in night.rows(
            "SELECT submission_key, partner_id, verdict, rival_key FROM intermediate.int_leads__verdicts"
        )
    }
    assert _different(expected.submissions, verdicts) == {}

    # No source dates a void, so the available date of its correction is a decision, not a rule.
    lines = {
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
    expected_lines = {
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
    assert _different(expected_lines, lines) == {}

    unpaid = dict(
        night.rows(
            "SELECT invoice_line_id, reason FROM intermediate.int_commission__unpaid_lines"
        )
    )
    assert _different(expected.unpaid, unpaid) == {}
    assert night.new_entries >= len(expected_lines) > 200


def test_warehouse_several_nights_sum_to_the_single_night_and_never_change_the_past(
    tmp_path,
) -> None:
    facts = histories.build(21, 150)
    workspace = write_workspace(tmp_path / "workspace", programmes.MIXED, facts)
    nights = [date(2025, 6, 15), date(2025, 9, 1), date(2025, 12, 31), AS_OF]
    seen: dict[str, tuple] = {}
    for as_of in nights:
        night = post_night(workspace, tmp_path / "many", as_of)
        with_new = {
            row[0]: row
            for row in _journal_rows(tmp_path / "many", workspace, night)
        }
        assert seen.items() <= with_new.items()
        seen = with_new
    again = post_night(workspace, tmp_path / "many", AS_OF)
    assert again.new_entries == 0

    single = post_night(workspace, tmp_path / "one", AS_OF)
    many_sums = _sums(seen.values())
    single_sums = _sums(_journal_rows(tmp_path / "one", workspace, single))
    assert _different(single_sums, many_sums) == {}
    assert len(single_sums) > 200


def _journal_rows(home, workspace, night) -> list[tuple]:
    """Entries of all registered segments, those of this night too."""
    return night.rows(
        "SELECT entry_id, commission_id, amount_minor, payout_amount_minor, effective_date, "
        "available_date, reverses_entry_id FROM raw.journal__entries"
    )


def _sums(rows) -> dict[str, tuple[int, int]]:
    sums: dict[str, tuple[int, int]] = {}
    for _, commission_id, amount_minor, payout_amount_minor, *_ in rows:
        amount, payout = sums.get(commission_id, (0, 0))
        sums[commission_id] = (amount + amount_minor, payout + payout_amount_minor)
    return {key: value for key, value in sums.items() if value != (0, 0)}
