"""Homes and apps of the page tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.web_app import WebApp, build_sample_home, copied_home, web_app


@pytest.fixture(scope="session")
def sample_home(tmp_path_factory) -> Path:
    """The sample after its night. For reading only."""
    return build_sample_home(tmp_path_factory.mktemp("sample") / "var")


@pytest.fixture(scope="session")
def sample_app(sample_home) -> Iterator[WebApp]:
    """The app over it. Tests that post take `own_app`."""
    with web_app(sample_home) as made:
        yield made


@pytest.fixture
def own_home(sample_home, tmp_path) -> Path:
    """A copy of the sample's home for one test."""
    return copied_home(sample_home, tmp_path / "var")


@pytest.fixture
def own_app(own_home) -> Iterator[WebApp]:
    """The app over the copy."""
    with web_app(own_home) as made:
        yield made
