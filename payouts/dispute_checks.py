"""What a dispute and its decision may be: who, how late, once, and with which remedy.

What belongs here: refusing. What does not: recording (``disputes``).
Decision 0054.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Connection

from payouts.dispute_owners import Governing, disputed_payout, owners
from payouts.dispute_records import (
    ADJUSTMENT,
    LEAD,
    LINE,
    OUTCOMES,
    PARTNER_ROLE,
    PAYOUT,
    REJECTED,
    RULING,
    SOURCE,
    Dispute,
    folded,
)
from payouts.errors import DecisionRefusedError
from payouts.lead_joins import former_lead_ids
from payouts.rulings import APPROVED, PROPOSED, load_rulings
from payouts.terms import ROLES, ApprovalRules, PayoutRules, person


@dataclass(frozen=True)
class Remedy:
    """What an upheld dispute leads to: exactly one of an adjustment, a ruling, the source.

    amount_minor: of the adjustment, signed from the partner's view, in ``currency_code``.
    payout_currency_code: what the partner is paid in. is_at_source: a fact was corrected where it
    came from, or will be, and nights post the difference.
    """

    amount_minor: int | None = None
    currency_code: str = ""
    payout_currency_code: str | None = None
    corrects_entry_id: str | None = None
    available_date: date | None = None
    ruling_id: str | None = None
    is_at_source: bool = False

    @property
    def kinds(self) -> list[str]:
        """Which of the three are named."""
        named = {
            ADJUSTMENT: self.amount_minor is not None,
            RULING: self.ruling_id is not None,
            SOURCE: self.is_at_source,
        }
        return [kind for kind, is_named in named.items() if is_named]


def partner_actor(partner_id: str) -> str:
    """The actor of what a partner does itself."""
    return person(f"partner:{partner_id}")


def check_opener(rules: ApprovalRules, opener: str, opened_by_role: str, partner_id: str) -> None:
    """Refuse who may not open a dispute in this role. Raises: DecisionRefusedError."""
    if opened_by_role not in (PARTNER_ROLE, *ROLES):
        raise DecisionRefusedError(
            f"{opened_by_role!r} opens no dispute; use {', '.join((PARTNER_ROLE, *ROLES))}. "
            "Nothing was recorded"
        )
    allowed = ROLES if opened_by_role == PARTNER_ROLE else (opened_by_role,)
    if opened_by_role == PARTNER_ROLE and opener == partner_actor(partner_id):
        return
    if not any(rules.has_role(opener, role) for role in allowed):
        raise DecisionRefusedError(
            f"{opener} may not open a dispute: roles in program.yml name nobody of that name for "
            f"{' or '.join(allowed)}. Nothing was recorded"
        )


def check_window(
    values: Mapping[str, Any], happened_on: date | None, today: date, rules: PayoutRules
) -> None:
    """Refuse what happened too long ago; the last day of the window counts.

    happened_on: local day, None when nothing has happened yet. today: local day of the opening.
    Raises: DecisionRefusedError, in words that a partner can read.
    """
    window_days = rules.dispute_window_days
    if happened_on is None or (today - happened_on).days <= window_days:
        return
    days = "one day" if window_days == 1 else f"{window_days} days"
    if values["subject_type"] == LEAD:
        # Others may have earned on it, on days that are not this partner's business.
        said = f"could be disputed for {days} after something was earned on it"
    else:
        what = "paid" if values["subject_type"] == PAYOUT else "earned"
        last_day = happened_on + timedelta(days=window_days)
        said = f"was {what} on {happened_on} and could be disputed for {days}, until {last_day}"
    raise DecisionRefusedError(
        f"{_named(values)} {said}. Nothing was recorded; an error of the programme is still "
        "corrected, by an adjustment"
    )


def refuse_second(connection: Connection, values: Mapping[str, Any]) -> None:
    """Refuse a second open dispute of a partner on a subject, a lead under any of its ids.

    Raises: DecisionRefusedError, in words that a partner can read.
    """
    same = {values["subject_id"]}
    if values["subject_type"] == LEAD:
        same = former_lead_ids(connection, values["subject_id"])
    for _, dispute in folded(connection).values():
        if (
            dispute.is_open
            and dispute.partner_id == values["partner_id"]
            and dispute.subject_type == values["subject_type"]
            and dispute.subject_id in same
        ):
            raise DecisionRefusedError(
                f"{_named(values)} is disputed already: {dispute.dispute_id} is open. Add to that "
                "one; nothing was recorded"
            )


def _named(values: Mapping[str, Any]) -> str:
    kind = "commission" if values["subject_type"] == LINE else values["subject_type"]
    return f"{kind} {values['subject_id']}"


def checked_remedy(outcome: str, remedy: Remedy | None) -> str | None:
    """The one kind of remedy that belongs to an outcome; None for a rejected dispute.

    Raises: DecisionRefusedError.
    """
    kinds = remedy.kinds if remedy else []
    if outcome not in OUTCOMES:
        raise DecisionRefusedError(
            f"{outcome!r} is no outcome; use {', '.join(OUTCOMES)}. Nothing was recorded"
        )
    if outcome == REJECTED:
        if kinds:
            raise DecisionRefusedError(
                f"a rejected dispute leads to nothing, and {', '.join(kinds)} was named; nothing "
                "was recorded"
            )
        return None
    if len(kinds) != 1:
        raise DecisionRefusedError(
            f"an upheld dispute leads to exactly one of {ADJUSTMENT}, {RULING} and {SOURCE}; "
            f"{len(kinds)} were named. Nothing was recorded"
        )
    return kinds[0]


def check_other_person(
    connection: Connection, dispute: Dispute, opener: str, decider: str, governing: Governing
) -> None:
    """Refuse who opened the dispute or decided what it is about. Raises: DecisionRefusedError."""
    if decider == opener:
        raise DecisionRefusedError(
            f"{decider} opened dispute {dispute.dispute_id} and may not decide it; another person "
            "with a role must. Nothing was recorded"
        )
    if dispute.subject_type == PAYOUT:
        payout = disputed_payout(connection, dispute.subject_id)
        governing = Governing(batch_id=payout.batch_id)
    own = owners(connection, governing).get(decider)
    if own:
        raise DecisionRefusedError(
            f"{decider} {own}, which dispute {dispute.dispute_id} is about, and may not decide it; "
            "another person with a role must. Nothing was recorded"
        )


def check_ruling(connection: Connection, ruling_id: str, governing: Governing) -> None:
    """Refuse a ruling that corrects nothing here. Raises: DecisionRefusedError."""
    ruling = {each.ruling_id: each for each in load_rulings(connection)}.get(ruling_id)
    if ruling is None or ruling.state not in (PROPOSED, APPROVED):
        state = ruling.state if ruling else "unknown"
        raise DecisionRefusedError(
            f"ruling {ruling_id} is {state} and corrects nothing; propose one with `partnerledger "
            "rule propose` and name it. Nothing was recorded"
        )
    leads = former_lead_ids(connection, governing.lead_id) if governing.lead_id else set()
    if ruling.lead_id not in leads:
        raise DecisionRefusedError(
            f"ruling {ruling_id} is about lead {ruling.lead_id}, which is not what is disputed; "
            "name the ruling of that lead. Nothing was recorded"
        )
