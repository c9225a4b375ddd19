"""The rows that a night must come to: one per natural key of the journal (J2).

Belongs here: the shape of a row, and the rows of an earning with what is taken back of it.
Does not belong here: any amount.
"""

from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction

from .earnings import Earning
from .takebacks import TakeBack, payout_of


@dataclass(frozen=True)
class DesiredLine:
    """One row per natural key of the desired state; amounts signed from the partner's view.

    earned_at: of the earning, also on its take-backs; effective_at: of this row's own event
    (None for a correction, which no source dates); available_date: the latest of its entries.
    rate: of an earning on a line, None where bands share the line.
    """

    kind: str
    component_id: str
    source_type: str
    source_id: str
    partner_id: str
    cause_type: str
    cause_id: str
    amount_minor: int
    currency_code: str
    payout_amount_minor: int
    payout_currency_code: str
    earned_at: datetime
    effective_at: datetime | None
    available_date: date
    plan_id: str
    plan_version: str
    fx_rate_date: date | None
    rate: Fraction | None = None

    @property
    def natural_key(self) -> tuple[str, str, str, str, str, str, str]:
        """J2: kind, component, source object, partner, cause."""
        return (
            self.kind,
            self.component_id,
            self.source_type,
            self.source_id,
            self.partner_id,
            self.cause_type,
            self.cause_id,
        )


def rows_of(earning: Earning, take_backs: list[TakeBack]) -> list[DesiredLine]:
    """The row of an earning and of each of its take-backs; rows of nothing are left out."""
    own = TakeBack(
        kind=earning.kind,
        cause_type="",
        cause_id="",
        amount_minor=earning.amount_minor,
        payout_amount_minor=payout_of(earning, earning.amount_minor),
        effective_at=earning.earned_at,
        available_date=earning.available_date,
    )
    return [
        DesiredLine(
            kind=row.kind,
            component_id=earning.component.component_id,
            source_type=earning.source_type,
            source_id=earning.source_id,
            partner_id=earning.partner_id,
            cause_type=row.cause_type,
            cause_id=row.cause_id,
            amount_minor=row.amount_minor,
            currency_code=earning.currency_code,
            payout_amount_minor=row.payout_amount_minor,
            payout_currency_code=earning.payout_currency_code,
            earned_at=earning.earned_at,
            effective_at=row.effective_at,
            available_date=row.available_date,
            plan_id=earning.plan.plan_id,
            plan_version=earning.plan.plan_version,
            fx_rate_date=earning.conversion.rate_date,
            rate=earning.rate if row is own else None,
        )
        for row in [own, *take_backs]
        if row.amount_minor or row.payout_amount_minor
    ]
