"""A batch as the approval pages show it: how its total comes about, and who may do what now.

What belongs here: putting together what `payouts` knows. What does not: deciding.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from payouts.approval_checks import may_approve, required_approvals
from payouts.approvals import stale_reasons
from payouts.claims_summary import ClaimedKind, claimed_kinds
from payouts.comparison import Comparison, compare_with_last
from payouts.errors import DecisionRefusedError
from payouts.records import BatchContent, BatchDetail, load_content, show
from payouts.states import FINANCE_APPROVED, LIVE_STATES
from payouts.terms import ApprovalRules, person
from sqlalchemy import Connection

_PAYING_ROLES = ("partnerships", "finance")
# What adds to a payout; all other kinds take away or give back.
_ADDING = ("earning", "bonus", "reinstatement", "payout_return")


@dataclass(frozen=True)
class Sums:
    """How a total comes about, in minor units of the batch: earned and taken_back add up to it."""

    earned_minor: int
    taken_back_minor: int
    items_minor: int
    total_minor: int

    @property
    def agrees(self) -> bool:
        """Whether entries, payouts and the batch say the same."""
        return self.earned_minor + self.taken_back_minor == self.items_minor == self.total_minor


@dataclass(frozen=True)
class BatchView:
    """One batch. needed, given: approvals per role. may: roles in which the viewer can approve now.

    why_not: by role that the viewer has, why it cannot approve. changed: which payout terms have
    changed since the proposal; nobody can approve it then.
    """

    detail: BatchDetail
    content: BatchContent
    sums: Sums
    kinds: tuple[ClaimedKind, ...]
    comparison: Comparison
    needed: Mapping[str, int]
    given: Mapping[str, int]
    may: tuple[str, ...]
    why_not: Mapping[str, str]
    min_identity: str
    changed: tuple[str, ...]

    @property
    def is_live(self) -> bool:
        """Whether it may still be rejected."""
        return self.detail.state.state in LIVE_STATES

    @property
    def is_approved(self) -> bool:
        """Whether all have agreed and it waits for its export."""
        return self.detail.state.state == FINANCE_APPROVED

    def of_payout(self, payout_id: str) -> dict[str, int]:
        """Sums of one payout by earned and taken back, minor units."""
        mine = [kind for kind in self.kinds if kind.payout_id == payout_id]
        return {
            "earned_minor": _sum(mine, is_adding=True),
            "taken_back_minor": _sum(mine, is_adding=False),
        }


def view_batch(
    connection: Connection,
    home: Path,
    batch_id: str,
    rules: ApprovalRules,
    actor: str,
    at: datetime,
) -> BatchView:
    """Everything about one batch for one viewer. Raises: BatchNotFoundError, ChainBrokenError."""
    detail = show(connection, batch_id)
    content = load_content(connection, batch_id)
    kinds = claimed_kinds(home, batch_id)
    may, why_not = _may(connection, content, detail, rules, actor, at)
    return BatchView(
        detail=detail,
        content=content,
        sums=Sums(
            earned_minor=_sum(kinds, is_adding=True),
            taken_back_minor=_sum(kinds, is_adding=False),
            items_minor=sum(item.amount_minor for item in detail.items),
            total_minor=detail.summary.total_amount_minor,
        ),
        kinds=tuple(kinds),
        comparison=compare_with_last(connection, batch_id),
        needed=required_approvals(content, rules),
        given=Counter(approval.role for approval in detail.state.approvals),
        may=may,
        why_not=why_not,
        min_identity=rules.identity_for(content.total_amount_minor, content.currency_code),
        changed=tuple(stale_reasons(connection, batch_id, rules))
        if detail.state.state in LIVE_STATES
        else (),
    )


def _may(
    connection: Connection,
    content: BatchContent,
    detail: BatchDetail,
    rules: ApprovalRules,
    actor: str,
    at: datetime,
) -> tuple[tuple[str, ...], dict[str, str]]:
    may, why_not = [], {}
    if detail.state.state not in LIVE_STATES or detail.state.state == FINANCE_APPROVED:
        return (), {}
    for role in _PAYING_ROLES:
        try:
            may_approve(connection, content, detail.state, person(actor), role, rules, at)
        except DecisionRefusedError as error:
            if rules.has_role(actor, role):
                why_not[role] = str(error)
        else:
            may.append(role)
    return tuple(may), why_not


def _sum(kinds: Sequence[ClaimedKind], is_adding: bool) -> int:
    return sum(kind.amount_minor for kind in kinds if (kind.entry_kind in _ADDING) == is_adding)
