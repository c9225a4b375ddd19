"""Holds as forms: opening one on a line, a lead or a partner, releasing one (P1).

Roles, reasons and identities are checked by `payouts.holds`; what is held must exist, since a hold
on a mistyped id would hold nothing, and the payout go out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from payouts.holds import Hold, load_holds, open_hold, release_hold

from dashboards.errors import BadInputError
from dashboards.users import APPROVERS

if TYPE_CHECKING:
    from dashboards.visit import Visit

_REASON_CHARACTERS = 1000


def may_hold(visit: Visit) -> bool:
    """Whether somebody is shown the forms: the terms let nobody else hold."""
    return bool(visit.user.roles & APPROVERS)


def open_holds(visit: Visit, subjects: Mapping[str, set[str]]) -> list[Hold]:
    """Open holds on any of these, oldest first. subjects: ids by line, lead and partner."""
    with visit.control() as connection:
        return [
            hold
            for hold in load_holds(connection)
            if hold.is_open and hold.subject_id in subjects.get(hold.subject_type, set())
        ]


def hold_from_form(visit: Visit, subjects: Mapping[str, str]) -> str:
    """Open the hold that was posted; returns what to tell. subjects: what may be chosen.

    Raises: BadInputError, and what `payouts.holds.open_hold` refuses.
    """
    chosen = visit.required("subject", 20)
    if chosen not in subjects:
        raise BadInputError(f"subject={chosen}: {' or '.join(subjects)}")
    hold, stale = open_hold(
        visit.store, visit.settings.home, subject_type=chosen, subject_id=subjects[chosen],
        reason=visit.required("reason", _REASON_CHARACTERS), actor=visit.user.subject,
        rules=visit.approval_rules, recorded_at=visit.now,
        identity_level=visit.user.identity_level,
    )  # fmt: skip
    gone = f" Out of date now: {', '.join(stale)}; propose again." if stale else ""
    return f"Held {chosen} {subjects[chosen]}: {hold.hold_id}.{gone}"


def release_from_form(visit: Visit) -> str:
    """Release the hold that was posted; returns what to tell."""
    released = release_hold(
        visit.store, visit.required("hold_id", 100),
        reason=visit.required("reason", _REASON_CHARACTERS), actor=visit.user.subject,
        rules=visit.approval_rules, recorded_at=visit.now,
        identity_level=visit.user.identity_level,
    )  # fmt: skip
    return (
        f"Released {released.hold_id}; {released.subject_type} {released.subject_id} is payable "
        "again from the next proposal on."
    )
