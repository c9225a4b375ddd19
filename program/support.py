"""What this release does not compute yet, and what to write instead.

The schema accepts everything that the terms can say; a setting is refused here rather than
ignored. Each entry disappears with the release that computes it. Pure: a valid model in, findings
out.
"""

from __future__ import annotations

from collections.abc import Iterator

from program.paths import Finding, SettingPath
from program.schema import Program
from program.schema_payouts import PayoutTerms

NOT_YET = "is not computed in this release"
COMPUTED_RAILS = ("csv",)
COMPUTED_IDENTITIES = ("os_user",)


def unsupported_program(program: Program) -> Iterator[Finding]:
    """Settings of `program.yml` that are valid, but not computed yet."""
    yield from _payouts(("payouts",), program.payouts)
    if program.approvals.min_identity not in COMPUTED_IDENTITIES:
        yield (
            ("approvals", "min_identity"),
            f"{program.approvals.min_identity} is not available in this release",
            "write min_identity: os_user",
        )


def _payouts(path: SettingPath, payouts: PayoutTerms) -> Iterator[Finding]:
    for key, rail in payouts.rails.items():
        if rail not in COMPUTED_RAILS:
            yield (
                (*path, "rails", key),
                f"{rail} is not available in this release",
                f"write {key}: csv",
            )
    if payouts.offset_share != 1:
        yield (
            (*path, "offset_share"),
            f"{payouts.offset_share} {NOT_YET}",
            "write 1.0: negative balances are netted in full",
        )
