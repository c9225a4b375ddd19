"""The benchmark of attribution, small: its baseline and the models agree where they can."""

from __future__ import annotations

import pytest

from orchestration.warehouse import open_working_file
from tests.bench.attribution import measure, write_facts

pytestmark = pytest.mark.sql

TOUCHES = 20_000


def test_models_credit_the_baselines_last_touch_where_only_links_were_used(tmp_path):
    """A1, A3: with one type of touch the last in the window is the last that competes."""
    write_facts(tmp_path, TOUCHES)
    told = measure(tmp_path, rounds=1)

    assert told["touches"] == TOUCHES
    assert told["leads"] == TOUCHES // 10
    with open_working_file(tmp_path / "home") as connection:
        compared, different = connection.execute(
            """
            SELECT count(*), count(*) FILTER (
                credits.partner_id <> last_touches.partner_id
                OR credits.touch_id <> last_touches.touch_id
            )
            FROM intermediate.int_attribution__model_credits AS credits
            INNER JOIN intermediate.last_touches USING (lead_id)
            WHERE credits.model = 'last_touch' AND credits.lead_id NOT IN (
                SELECT lead_id FROM intermediate.int_leads__touches
                WHERE touch_type <> 'referral_link'
            )
            """
        ).fetchone()
        sums = connection.execute(
            "SELECT DISTINCT sum(credit_ppm) OVER (PARTITION BY lead_id, model), "
            "count(DISTINCT model) OVER (PARTITION BY lead_id) "
            "FROM intermediate.int_attribution__model_credits"
        ).fetchall()
    assert compared > 500
    assert different == 0
    assert sums == [(1_000_000, 5)]
