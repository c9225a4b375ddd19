"""Writes small workspaces and loads them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from program.errors import TermsError
from program.load import Workspace, load_workspace

PROGRAM = """\
program:
  id: acme
  name: Acme Partners
  legal_entity: Acme Inc
  timezone: America/New_York
  reporting_currency: USD
plans:
  - id: standard
    versions:
      - effective_from: 2025-01-01
        components:
          - id: recurring
            kind: recurring
            rate: 0.20
groups:
  default: standard
"""
SOURCES = "sources:\n  drop:\n    kind: files\n    path: drop\n"


@pytest.fixture
def load(tmp_path: Path) -> Callable[..., Workspace]:
    """Load a workspace made of the given texts."""

    def _load(program: str = PROGRAM, sources: str = SOURCES) -> Workspace:
        (tmp_path / "program.yml").write_text(program, encoding="utf-8")
        (tmp_path / "sources.yml").write_text(sources, encoding="utf-8")
        return load_workspace(tmp_path)

    return _load


@pytest.fixture
def problems(load: Callable[..., Workspace]) -> Callable[..., list[str]]:
    """The lines of the error that a workspace is refused with; empty when it is accepted."""

    def _problems(program: str = PROGRAM, sources: str = SOURCES) -> list[str]:
        try:
            load(program, sources)
        except TermsError as error:
            return str(error).split("\n")
        return []

    return _problems


@pytest.fixture
def program_with() -> Callable[..., str]:
    """The smallest programme, with text added at its end and parts of it replaced."""

    def _program_with(added: str = "", replace: tuple[str, str] | None = None) -> str:
        text = PROGRAM + added
        if replace is not None:
            assert replace[0] in text
            text = text.replace(*replace, 1)
        return text

    return _program_with
