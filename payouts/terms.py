"""The terms that payouts and approvals need, as frozen parameters with amounts in minor units.

What belongs here: reading them off a loaded workspace. What does not: validating the terms
(``program``) or applying them (``batches``, ``approvals``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from program.load import Workspace

GATES = ("status", "terms_accepted", "payee_verified", "tax_form", "screening", "cooling_off")
ROLES = ("partnerships", "finance")
IDENTITY_LEVELS = ("os_user", "ssh_signed", "oidc")


@dataclass(frozen=True)
class PayoutRules:
    """Who may be paid, by what and from how much on (P2). Minimums in minor units, `>=` pays."""

    legal_entity: str
    terms_hash: str
    gates: tuple[str, ...] = GATES
    rails: Mapping[str, str] = field(default_factory=lambda: {"default": "csv"})
    minimums_minor: Mapping[str, int] = field(default_factory=dict)
    is_pilot_only: bool = False
    pilot_partners: frozenset[str] = frozenset()

    def rail_for(self, currency_code: str) -> str:
        """The rail that pays this currency."""
        return self.rails.get(currency_code) or self.rails.get("default", "csv")


@dataclass(frozen=True)
class Tier:
    """Approvals needed up to a total, included; in major units, compared in the batch currency."""

    up_to: Decimal | None = None
    partnerships: int = 1
    finance: int = 1


@dataclass(frozen=True)
class ApprovalRules:
    """Who must agree before money leaves. ``roles`` holds normalised actors, see ``person``."""

    roles: Mapping[str, frozenset[str]]
    tiers: tuple[Tier, ...] = (Tier(),)
    expire_days: int = 7
    min_identity: str = "os_user"

    def required(self, total_amount_minor: int, currency_code: str) -> dict[str, int]:
        """Approvals per role for a total: the first tier that reaches it, never fewer than one.

        A total above the last tier takes the largest count of any tier: a missing open end never
        lowers the bar.
        """
        from program.currencies import to_major

        total = to_major(total_amount_minor, currency_code)
        for tier in self.tiers:
            if tier.up_to is None or total <= tier.up_to:
                return {
                    "partnerships": max(1, tier.partnerships),
                    "finance": max(1, tier.finance),
                }
        return {
            "partnerships": max([1, *(tier.partnerships for tier in self.tiers)]),
            "finance": max([1, *(tier.finance for tier in self.tiers)]),
        }

    def has_role(self, actor: str, role: str) -> bool:
        """Whether the terms give ``role`` to this person."""
        return person(actor) in self.roles.get(role, frozenset())


def person(actor: str) -> str:
    """One spelling per person: two spellings of an address must never count as two people."""
    import unicodedata

    return unicodedata.normalize("NFKC", actor).strip().casefold()


def payout_rules(workspace: Workspace) -> PayoutRules:
    """Payout terms of a loaded workspace."""
    terms = workspace.program.payouts
    return PayoutRules(
        legal_entity=workspace.program.program.legal_entity,
        terms_hash=workspace.terms_hash,
        gates=tuple(terms.gates),
        rails=dict(terms.rails),
        minimums_minor={code: terms.minimum_minor(code) for code in terms.minimum},
        is_pilot_only=workspace.program.pilot.enabled,
        pilot_partners=frozenset(workspace.program.pilot.partners),
    )


def approval_rules(workspace: Workspace) -> ApprovalRules:
    """Approval terms and roles of a loaded workspace."""
    program = workspace.program
    return ApprovalRules(
        roles={role: frozenset(map(person, getattr(program.roles, role))) for role in ROLES},
        tiers=tuple(
            Tier(tier.up_to, tier.partnerships, tier.finance) for tier in program.approvals.tiers
        ),
        expire_days=program.approvals.expire_days,
        min_identity=program.approvals.min_identity,
    )
