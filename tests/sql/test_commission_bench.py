"""The benchmark of commissions, small: its script and a night on plain terms come to the same."""

from __future__ import annotations

import duckdb
import pytest

from orchestration.warehouse import engine_limits
from tests.bench.commission import (
    FIRST_AS_OF,
    PLAIN_PROGRAM,
    compute_by_hand,
    model_seconds,
    write_facts,
    write_workspace,
)
from tests.workspaces import post_night

pytestmark = pytest.mark.sql

SCALE = 0.002


def test_the_script_and_a_night_on_plain_terms_agree_to_the_cent(tmp_path):
    """A1, A2, C2, C3, R1, J6: by partner, currency and payout currency, lines counted too."""
    first, second = write_facts(tmp_path, SCALE)
    limits = engine_limits(tmp_path)
    compute_by_hand(tmp_path, tmp_path / "by_hand.duckdb", limits.threads, limits.memory_limit)
    night = post_night(write_workspace(tmp_path, PLAIN_PROGRAM), tmp_path / "home", FIRST_AS_OF)

    posted = night.rows(
        """
        SELECT
            partner_id, currency_code, payout_currency_code,
            count(DISTINCT source_id) FILTER (entry_kind = 'earning'),
            coalesce(sum(amount_minor) FILTER (entry_kind = 'earning'), 0),
            -coalesce(sum(amount_minor) FILTER (entry_kind = 'refund'), 0),
            coalesce(sum(payout_amount_minor) FILTER (entry_kind = 'earning'), 0),
            -coalesce(sum(payout_amount_minor) FILTER (entry_kind = 'refund'), 0)
        FROM staging.stg_control__journal_entries
        GROUP BY ALL
        ORDER BY ALL
        """
    )
    with duckdb.connect(str(tmp_path / "by_hand.duckdb"), read_only=True) as connection:
        by_hand = connection.execute("SELECT * FROM partner_totals ORDER BY ALL").fetchall()
    assert by_hand == posted
    # Nothing agrees for want of facts: every rule that both know is at work.
    lines, taken = sum(row[3] for row in by_hand), sum(row[5] for row in by_hand)
    assert 0.4 < lines / first["invoice_lines"] < 0.8
    assert taken > 0
    assert any(row[1] != row[2] for row in by_hand)
    assert first["payments"] > 0 and set(second) < set(first)


def test_the_slowest_models_are_read_from_dbts_log():
    """The table of models in docs/benchmarks.md."""
    log = (
        "03:01:02  4 of 9 OK created sql table model intermediate.int_a ..... [OK in 1.20s]\n"
        "03:01:05  5 of 9 OK created sql view model staging.stg_b ..... [OK in 0.03s]\n"
        "03:01:09  6 of 9 OK created sql table model marts.fct_c ..... [OK in 12.50s]\n"
        "03:01:09  7 of 9 PASS unique_fct_c ..... [PASS in 0.50s]\n"
    )
    assert model_seconds(log) == [
        ("marts.fct_c", 12.5),
        ("intermediate.int_a", 1.2),
        ("staging.stg_b", 0.03),
    ]
