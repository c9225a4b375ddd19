"""The terms that payouts and approvals need, as frozen parameters with amounts in minor units.

What belongs here: reading them off a loaded workspace. What does not: validating the terms
(``program``) or applying them (``batches``, ``approvals``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from program.load import Workspace
    from program.schema_payouts import Schedule

GATES = ("status", "terms_accepted", "payee_verified", "tax_form", "screening", "cooling_off")
ROLES = ("partnerships", "finance")
# People of this role never approve a payout; they may stop all of them.
ADMIN = "admin"
ALLOWED_SIGNERS = "allowed_signers"
IDENTITY_LEVELS = ("os_user", "ssh_signed", "oidc")


@dataclass(frozen=True)
class Caps:
    """What no payout and no batch may exceed, in minor units per currency; a cap itself is within.

    ``times_average``: a payout of more than so many times the partner's average is an exception.
    """

    per_partner_minor: Mapping[str, int] = field(default_factory=dict)
    per_batch_minor: Mapping[str, int] = field(default_factory=dict)
    payouts_per_batch: int | None = None
    times_average: Decimal | None = Decimal(3)


@dataclass(frozen=True)
class PayoutRules:
    """Who may be paid, by what and from how much on (P2, P3).

    Minimums in minor units, `>=` pays. ``offset_share``: the part of later earnings that is netted
    against a negative balance. ``schedule``: the settings of `payouts.schedule` that its frequency
    reads, as plain values.
    """

    legal_entity: str
    terms_hash: str
    gates: tuple[str, ...] = GATES
    rails: Mapping[str, str] = field(default_factory=lambda: {"default": "csv"})
    minimums_minor: Mapping[str, int] = field(default_factory=dict)
    is_pilot_only: bool = False
    pilot_partners: frozenset[str] = frozenset()
    offset_share: Decimal = Decimal(1)
    cooling_off_days: int = 7
    night_max_age_days: int | None = 7
    caps: Caps = field(default_factory=Caps)
    dispute_window_days: int = 60
    dispute_answer_days: int = 14
    schedule: Mapping[str, Any] = field(default_factory=dict)

    def rail_for(self, currency_code: str) -> str:
        """The rail that pays this currency."""
        return self.rails.get(currency_code) or self.rails.get("default", "csv")


@dataclass(frozen=True)
class Tier:
    """Approvals needed up to a total, included; in major units, compared in the batch currency."""

    up_to: Decimal | None = None
    partnerships: int = 1
    finance: int = 1
    min_identity: str | None = None


@dataclass(frozen=True)
class ApprovalRules:
    """Who must agree before money leaves. ``roles`` holds normalised actors, see ``person``.

    ``with_exceptions``: people per role at least, for a batch with exceptions; see ``required``.
    ``allowed_signers``: the file of people and their keys, see ``signatures``. ``payouts``: the
    payout terms of today, under which a batch must have been proposed to be approved; None, where
    no batch is approved, compares nothing.
    """

    roles: Mapping[str, frozenset[str]]
    tiers: tuple[Tier, ...] = (Tier(),)
    expire_days: int = 7
    min_identity: str = "os_user"
    with_exceptions: Mapping[str, int] = field(default_factory=dict)
    allowed_signers: Path | None = None
    payouts: PayoutRules | None = None

    def required(
        self, total_amount_minor: int, currency_code: str, has_exceptions: bool = False
    ) -> dict[str, int]:
        """Approvals per role for a total: the first tier that reaches it, never fewer than one.

        A total above the last tier takes the largest count of any tier: a missing open end never
        lowers the bar. has_exceptions: whether the batch has one that raises the bar.
        """
        asking = self._tiers_for(total_amount_minor, currency_code)
        extra = self.with_exceptions if has_exceptions else {}
        return {
            "partnerships": max(
                [1, extra.get("partnerships", 1), *(tier.partnerships for tier in asking)]
            ),
            "finance": max([1, extra.get("finance", 1), *(tier.finance for tier in asking)]),
        }

    def identity_for(self, total_amount_minor: int, currency_code: str) -> str:
        """Weakest proof of identity that counts for a total: a tier raises it, and never lowers."""
        asking = self._tiers_for(total_amount_minor, currency_code)
        levels = [self.min_identity, *(tier.min_identity for tier in asking if tier.min_identity)]
        return max(levels, key=IDENTITY_LEVELS.index)

    def identity_up_to(self, limit_amount_minor: int, currency_code: str) -> str:
        """Strongest proof of identity that any total up to this one, included, asks for."""
        from program.currencies import to_major

        limit, levels = to_major(limit_amount_minor, currency_code), [self.min_identity]
        for tier in self.tiers:
            levels.append(tier.min_identity or self.min_identity)
            if tier.up_to is None or limit <= tier.up_to:
                break
        return max(levels, key=IDENTITY_LEVELS.index)

    def _tiers_for(self, total_amount_minor: int, currency_code: str) -> tuple[Tier, ...]:
        """The tier of a total; all of them above the last."""
        from program.currencies import to_major

        total = to_major(total_amount_minor, currency_code)
        for tier in self.tiers:
            if tier.up_to is None or total <= tier.up_to:
                return (tier,)
        return self.tiers

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
        offset_share=terms.offset_share,
        cooling_off_days=terms.cooling_off_days,
        night_max_age_days=terms.night_max_age_days,
        caps=Caps(
            per_partner_minor=_minor(terms.caps.per_partner),
            per_batch_minor=_minor(terms.caps.per_batch),
            payouts_per_batch=terms.caps.payouts_per_batch,
            times_average=terms.caps.times_average,
        ),
        dispute_window_days=terms.disputes.window_days,
        dispute_answer_days=terms.disputes.answer_days,
        schedule=_schedule(terms.schedule),
    )


def approval_rules(workspace: Workspace) -> ApprovalRules:
    """Approval terms and roles of a loaded workspace."""
    program, approvals = workspace.program, workspace.program.approvals
    extra = approvals.with_exceptions
    return ApprovalRules(
        roles={
            role: frozenset(map(person, getattr(program.roles, role))) for role in (*ROLES, ADMIN)
        },
        tiers=tuple(
            Tier(tier.up_to, tier.partnerships, tier.finance, tier.min_identity)
            for tier in approvals.tiers
        ),
        expire_days=approvals.expire_days,
        min_identity=approvals.min_identity,
        with_exceptions={} if extra is None else {role: getattr(extra, role) for role in ROLES},
        allowed_signers=workspace.root / ALLOWED_SIGNERS,
        payouts=payout_rules(workspace),
    )


def _minor(amounts: Mapping[str, Decimal]) -> dict[str, int]:
    from program.currencies import to_minor

    return {code: to_minor(amount, code) for code, amount in amounts.items()}


def _schedule(schedule: Schedule) -> dict[str, Any]:
    """What decides pay dates and cut-offs (P4): a monthly schedule has no pay weekday."""
    frequency = schedule.frequency
    read = {
        "monthly": {"cutoff": schedule.cutoff, "pay_day": schedule.pay_day},
        "twice_monthly": {"pay_days": sorted(schedule.pay_days)},
        "weekly": {"pay_weekday": schedule.pay_weekday},
    }[frequency]
    return {"frequency": frequency, **read, "business_day": schedule.business_day}
