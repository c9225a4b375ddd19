"""Addresses of the app: which handler answers, and whose roles may open it.

One table for all rooms, so that a test can try every address with every role.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.responses import Response

    from dashboards.visit import Visit

Handler = Callable[["Visit"], "Response"]


@dataclass(frozen=True)
class Entry:
    """One address. roles: any of them opens it; empty for pages before signing in."""

    method: str
    path: str
    handler: Handler
    roles: frozenset[str]


def page(path: str, handler: Handler, roles: frozenset[str]) -> Entry:
    """An address that is looked at: GET, changes nothing."""
    return Entry("GET", path, handler, roles)


def action(path: str, handler: Handler, roles: frozenset[str]) -> Entry:
    """An address that changes something: POST with a form token, answered by a redirect."""
    return Entry("POST", path, handler, roles)
