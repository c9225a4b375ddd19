"""What terms of payouts and approvals can say and may not mean: warnings, see `lint_warnings`.

Most are about people: a batch that asks for more of them than the roles name waits for ever.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from program.paths import Finding, SettingPath
from program.schema import Program
from program.schema_payouts import IDENTITIES, Approvals, ApprovalTier, PayoutTerms, WithExceptions

_ROLES = ("partnerships", "finance")


def brake_warnings(program: Program) -> Iterator[Finding]:
    """All warnings about caps, approvals and the people who may give them."""
    approvals = program.approvals
    yield from _caps(("payouts", "caps"), program.payouts)
    yield from _tiers(("approvals", "tiers"), approvals)
    people = {role: _people(getattr(program.roles, role)) for role in _ROLES}
    # That a role is empty is said once, by `doctor`.
    if all(people.values()):
        for index, tier in enumerate(approvals.tiers):
            yield from _enough(("approvals", "tiers", index), tier, people)
    extra = approvals.with_exceptions
    if extra is None:
        return
    if all(people.values()):
        yield from _enough(("approvals", "with_exceptions"), extra, people)
    if all(
        extra.partnerships <= tier.partnerships and extra.finance <= tier.finance
        for tier in approvals.tiers
    ):
        yield (
            ("approvals", "with_exceptions"),
            "changes nothing: every tier asks for as many people already",
            "raise it, or remove it",
        )


def _caps(path: SettingPath, payouts: PayoutTerms) -> Iterator[Finding]:
    for code, most in payouts.caps.per_batch.items():
        one = payouts.caps.per_partner.get(code)
        if one is not None and most < one:
            yield (
                (*path, "per_partner", code),
                "is above per_batch: a batch with one such payout is never exported",
                "lower it, or raise per_batch",
            )


def _tiers(path: SettingPath, approvals: Approvals) -> Iterator[Finding]:
    for index in range(1, len(approvals.tiers)):
        before, tier = approvals.tiers[index - 1], approvals.tiers[index]
        fewer = [
            role for role in ("partnerships", "finance") if _of(tier, role) < _of(before, role)
        ]
        if fewer:
            yield (
                (*path, index),
                f"asks for fewer people of {' and '.join(fewer)} than the tier of smaller batches",
                "raise it",
            )
        if _strength(tier, approvals) < _strength(before, approvals):
            yield (
                (*path, index, "min_identity") if tier.min_identity else (*path, index),
                "asks for a weaker proof of identity than the tier of smaller batches",
                f"write min_identity: {before.min_identity}",
            )


def _enough(
    path: SettingPath, asked: ApprovalTier | WithExceptions, people: dict[str, set[str]]
) -> Iterator[Finding]:
    """One person counts once per batch, whatever roles they have."""
    is_role_short = False
    for role, named in people.items():
        wanted = _of(asked, role)
        if wanted > len(named):
            is_role_short = True
            # Not written: the setting's own line is that of what asks for them.
            place = (*path, role) if role in asked.model_fields_set else path
            yield (
                place,
                f"asks for {wanted} people, and roles.{role} names {len(named)}: such a batch is "
                "never approved",
                f"name more people in roles.{role}, or ask for fewer",
            )
    both = people["partnerships"] | people["finance"]
    wanted = asked.partnerships + asked.finance
    if not is_role_short and wanted > len(both):
        yield (
            path,
            f"asks for {wanted} different people, and the roles name {len(both)}: such a batch is "
            "never approved",
            "name more people in roles",
        )


def _of(asked: ApprovalTier | WithExceptions, role: str) -> int:
    return getattr(asked, role)


def _strength(tier: ApprovalTier, approvals: Approvals) -> int:
    return IDENTITIES.index(tier.min_identity or approvals.min_identity)


def _people(addresses: Iterable[str]) -> set[str]:
    # Two spellings of an address are one person, as when approvals are counted.
    return {address.strip().casefold() for address in addresses}
