"""Who has which role now: the terms are read again as soon as their file has changed.

A role that is taken from somebody ends with their next request, not with the next restart.
"""

from __future__ import annotations

import logging
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from payouts.terms import person
from program.errors import ProgramError
from program.load import load_workspace
from starlette.requests import Request

from dashboards.settings import Settings
from dashboards.users import STAFF

if TYPE_CHECKING:
    from program.load import Workspace

_LOG = logging.getLogger("partnerledger.web")
_SCOPE = "partnerledger.workspace"
Stamp = tuple[tuple[int, int, int] | None, ...]


class CurrentTerms:
    """The terms of a running app. Safe to use from several threads.

    While the files cannot be read or hold faults, the last terms without any stay in force, as they
    do for a night that was prepared.
    """

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._stamp = _stamp(workspace)
        self._lock = threading.Lock()

    def workspace(self) -> Workspace:
        """The terms as they are now."""
        with self._lock:
            stamp = _stamp(self._workspace)
            if stamp != self._stamp:
                self._stamp = stamp
                try:
                    self._workspace = load_workspace(self._workspace.program_path)
                except (ProgramError, OSError) as error:
                    _LOG.warning("the changed terms are not used: %s", error)
            return self._workspace


def workspace_of(request: Request, settings: Settings) -> Workspace:
    """The terms for this request: the same from its cookie to its page."""
    if _SCOPE not in request.scope:
        state = request.app.state
        if not hasattr(state, "current_terms"):
            state.current_terms = CurrentTerms(settings.workspace)
        request.scope[_SCOPE] = state.current_terms.workspace()
    return request.scope[_SCOPE]


def roles_of(workspace: Workspace, subject: str) -> frozenset[str]:
    """Roles that program.yml gives to a person; none for most addresses."""
    roles, name = workspace.program.roles, person(subject)
    return frozenset(role for role in STAFF if name in map(person, getattr(roles, role)))


def staff_of(workspace: Workspace) -> list[tuple[str, tuple[str, ...]]]:
    """Everybody with a role, each with theirs, in the order of the addresses."""
    roles = workspace.program.roles
    people = {person(address) for role in STAFF for address in getattr(roles, role)}
    return [(name, tuple(sorted(roles_of(workspace, name)))) for name in sorted(people)]


def _stamp(workspace: Workspace) -> Stamp:
    return tuple(_file_stamp(path) for path in (workspace.program_path, workspace.sources_path))


def _file_stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return (found.st_mtime_ns, found.st_size, found.st_ino)
