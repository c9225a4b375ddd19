"""The SQL and an implementation written from the rules alone agree on every line."""

from datetime import date
from pathlib import Path

import pytest

from tests.oracle import compute
from tests.properties import histories
from tests.properties.comparison import assert_equals_oracle, different
from tests.workspaces import PostedNight, post_night, read_program, write_workspace

pytestmark = pytest.mark.sql

AS_OF = date(2026, 3, 31)
# Between them every shape of terms that is computed.
PROGRAMMES = Path(__file__).parent / "programmes"


@pytest.mark.parametrize(
    ("name", "seed", "count"),
    [("mixed", 11, 400), ("first_touch_persons", 12, 400)],
)
def test_warehouse_random_histories_equal_oracle(tmp_path, name, seed, count) -> None:
    program = (PROGRAMMES / f"{name}.yml").read_text(encoding="utf-8")
    facts = histories.build(seed, count)
    workspace = write_workspace(tmp_path / "workspace", program, facts)
    night = post_night(workspace, tmp_path / "var", AS_OF)
    lines = assert_equals_oracle(night, compute(facts, read_program(program), AS_OF))
    assert night.new_entries >= lines > 200


def test_warehouse_several_nights_sum_to_the_single_night_and_never_change_the_past(
    tmp_path,
) -> None:
    facts = histories.build(21, 150)
    workspace = write_workspace(
        tmp_path / "workspace", (PROGRAMMES / "mixed.yml").read_text(encoding="utf-8"), facts
    )
    nights = [date(2025, 7, 15), date(2025, 12, 31), AS_OF]
    seen: dict[str, tuple] = {}
    for as_of in nights:
        night = post_night(workspace, tmp_path / "many", as_of)
        with_new = {row[0]: row for row in _journal_rows(night)}
        assert seen.items() <= with_new.items()
        seen = with_new
    single = post_night(workspace, tmp_path / "one", AS_OF)
    many_sums = _sums(seen.values())
    single_sums = _sums(_journal_rows(single))
    assert different(single_sums, many_sums) == {}
    assert len(single_sums) > 200


def _journal_rows(night: PostedNight) -> list[tuple]:
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
