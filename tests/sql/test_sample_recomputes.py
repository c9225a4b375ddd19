"""C8, B1: every entry of the bundled sample comes out of its explanation to the cent."""

from __future__ import annotations

from collections import Counter
from datetime import date
from pathlib import Path

import pytest

from orchestration.recompute import DIFFERS, MATCHES
from tests.recomputing import recomputed
from tests.workspaces import post_night

pytestmark = pytest.mark.sql

PROGRAM = Path(__file__).resolve().parents[2] / "program"
AS_OF = date(2026, 2, 28)


def test_every_entry_of_the_bundled_sample_recomputes(tmp_path) -> None:
    home = tmp_path / "var"
    post_night(PROGRAM, home, AS_OF)
    checks = recomputed(home)
    assert [check for check in checks if check.result == DIFFERS] == []
    found = Counter((check.result, check.shape) for check in checks)
    assert {result for result, _ in found} == {MATCHES}
    assert {shape for _, shape in found} >= {"line", "event", "takeback"}
    assert len(checks) > 900
