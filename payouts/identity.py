"""How surely somebody is known: the levels of identity, compared with what the terms ask for.

What belongs here: refusing what is less sure. What does not: signatures (``signatures``) and what
they are of (``approval_checks``, ``signed_decisions``).
"""

from __future__ import annotations

from payouts.errors import DecisionRefusedError
from payouts.terms import IDENTITY_LEVELS, ApprovalRules


def check_identity(rules: ApprovalRules, identity_level: str, least: str | None = None) -> None:
    """Refuse a decision by somebody who is less surely known than the terms ask for.

    least: what the tier of a batch asks for; default ``approvals.min_identity``.
    Raises: DecisionRefusedError.
    """
    least = least or rules.min_identity
    if identity_level not in IDENTITY_LEVELS:
        raise DecisionRefusedError(
            f"{identity_level!r} is not an identity level; known are {', '.join(IDENTITY_LEVELS)}"
        )
    if not is_at_least(identity_level, least):
        raise DecisionRefusedError(
            f"approvals.min_identity asks for {least}; this decision is {identity_level}, so "
            "nothing was recorded"
        )


def is_at_least(identity_level: str, least: str) -> bool:
    """Whether a recorded level proves at least as much as another."""
    return IDENTITY_LEVELS.index(identity_level) >= IDENTITY_LEVELS.index(least)
