"""Fixtures of the payouts tests."""

from __future__ import annotations

from pathlib import Path

import pytest
from payout_world import World, payable_world


@pytest.fixture
def world(tmp_path: Path) -> World:
    """An empty home."""
    return World.create(tmp_path / "home", synchronous="OFF")


@pytest.fixture
def payable(tmp_path: Path) -> World:
    """A home with money to pay, see ``payable_world``."""
    return payable_world(tmp_path / "home")
