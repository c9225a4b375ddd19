"""Who asks: a person of the company, or a partner.

What does not belong here: how somebody proves it (`access`) and what they may open (`routing`).
"""

from __future__ import annotations

from dataclasses import dataclass

PARTNERSHIPS, FINANCE, ANALYST, ADMIN = "partnerships", "finance", "analyst", "admin"
PARTNER_ROLE = "partner"
STAFF: frozenset[str] = frozenset({PARTNERSHIPS, FINANCE, ANALYST, ADMIN})
"""Roles of program.yml: whoever has one of them may read the programme's pages."""
APPROVERS: frozenset[str] = frozenset({PARTNERSHIPS, FINANCE})
DECIDERS: frozenset[str] = frozenset({PARTNERSHIPS, FINANCE, ADMIN})
PARTNER: frozenset[str] = frozenset({PARTNER_ROLE})
PUBLIC: frozenset[str] = frozenset()
"""Pages for which nobody has to sign in."""


@dataclass(frozen=True)
class User:
    """Somebody who has signed in.

    subject: e-mail address in lower case, or ``partner:<partner_id>``; the actor of what they
    decide. roles: of program.yml, or ``partner`` alone. partner_id: of a partner, else None.
    identity_level: how surely they are known (``payouts.identity``). session_id: digest of the
    web session, to which form tokens are bound.
    """

    subject: str
    name: str
    roles: frozenset[str]
    partner_id: str | None
    identity_level: str
    session_id: str

    @property
    def is_partner(self) -> bool:
        """Whether this is a partner; everybody else is of the company."""
        return self.partner_id is not None
