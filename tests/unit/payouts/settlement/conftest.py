"""Fixtures of the settlement tests: a home with an exported batch of three partners."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from settled_world import SettledWorld


@pytest.fixture(scope="session")
def exported_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home, made once: proposing and exporting take longer than most tests."""
    world = SettledWorld.create(tmp_path_factory.mktemp("exported") / "home")
    world.store.close()
    return world.home


@pytest.fixture
def exported(exported_home: Path, tmp_path: Path) -> SettledWorld:
    """A copy of it: three partners, 150.00, 70.00 and 60.00 USD, exported as one batch."""
    return SettledWorld.reopen(shutil.copytree(exported_home, tmp_path / "home"))
