"""The earning: one row that somebody earns, with what its take-backs need.

Belongs here: the shape that lines, events, bonuses and referrals share. Does not belong here: any
rule.
"""

from dataclasses import dataclass, field
from datetime import date, datetime
from fractions import Fraction

from .billing import Invoice, Line
from .fx import Conversion
from .plan_terms import Component, PlanVersion


@dataclass(frozen=True)
class Part:
    """One posted step of an earning paid in parts (C2): its day and the end of its hold (P1).

    With several partners a step may be a cent against the others: M3 splits the growing whole anew.
    """

    amount_minor: int
    effective_date: date
    available_date: date


@dataclass(frozen=True)
class Earning:
    """One earning; rate: of a recurring line, None where several bands share it."""

    component: Component
    plan: PlanVersion
    partner_id: str
    source_type: str
    source_id: str
    amount_minor: int
    currency_code: str
    payout_currency_code: str
    conversion: Conversion
    earned_at: datetime
    parts: tuple[Part, ...] = field(default=())
    line: Line | None = None
    invoice: Invoice | None = None
    rate: Fraction | None = None

    @property
    def kind(self) -> str:
        """J1: its entry kind."""
        return "bonus" if self.component.kind == "bonus" else "earning"

    @property
    def available_date(self) -> date:
        """P1: the line shows the latest of its entries."""
        return max(part.available_date for part in self.parts)

    @property
    def reference(self) -> str:
        """How a partner referral names it: the oracle does not know commission ids."""
        names = (self.component.component_id, self.source_type, self.source_id, self.partner_id)
        return "/".join(names)
