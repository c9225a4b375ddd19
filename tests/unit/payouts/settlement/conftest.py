"""Fixtures of the settlement tests: a home with an exported batch of three partners."""

from __future__ import annotations

from pathlib import Path

import pytest
from settled_world import SettledWorld


@pytest.fixture
def exported(tmp_path: Path) -> SettledWorld:
    """Three partners, 150.00, 70.00 and 60.00 USD, exported as one batch."""
    return SettledWorld.create(tmp_path / "home")
