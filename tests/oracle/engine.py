"""The oracle's one door: facts, programme and day in; what partnerledger must say out.

Belongs here: putting the topics together and shaping the result.
Does not belong here: any rule.
"""

from dataclasses import dataclass
from datetime import date, datetime

from .attribution import Attribution, attribute
from .billing import Billing
from .commission import Earner, Earning
from .facts import Book, Facts
from .fx import Rates
from .identity import Identity
from .leads import Lead, build_leads
from .takebacks import TakeBack, churn_take_back, invoice_take_backs, payout_of
from .terms import Program, Terms


@dataclass(frozen=True)
class DesiredLine:
    """One row per natural key of the desired state; amounts signed from the partner's view.

    earned_at: of the earning, also on its take-backs; effective_at: of this row's own event
    (None for a correction, which no source dates); available_date: the latest of its entries.
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


@dataclass(frozen=True)
class Result:
    """What the night must say.

    submissions: submission_key -> (partner_id, verdict, rival_key or None).
    attributions: member record keys (`entity:id`) of a lead -> its outcome; every lead is there.
    lines: sorted by natural key. unpaid: invoice_line_id -> reason (B6).
    """

    submissions: dict[str, tuple[str, str, str | None]]
    attributions: dict[frozenset[str], Attribution]
    lines: list[DesiredLine]
    unpaid: dict[str, str]

    def lead_of(self, record: str) -> Attribution:
        """The outcome of the lead that holds a record such as `contacts:c1`."""
        return next(a for members, a in self.attributions.items() if record in members)


def compute(facts: Facts, program: Program, as_of: date) -> Result:
    """Everything that `as_of`'s night must come to, from facts and terms alone."""
    terms = Terms(program)
    book = Book(facts, terms.timezone, as_of)
    billing = Billing(book)
    scope = (terms.lead_rules(as_of) or terms.first_lead_rules()).scope
    identity = Identity(book, scope)
    leads = build_leads(book, terms, billing, identity)
    lead_by_members = {lead.members: lead for lead in leads}
    attributions = {lead.members: attribute(lead, book, terms) for lead in leads}
    earner = Earner(book, terms, billing, Rates(book))

    lines: list[DesiredLine] = []
    unpaid: dict[str, str] = {}
    for invoice in billing.invoices.values():
        if invoice.paid_share <= 0:
            continue
        members = identity.lead_of_customer(invoice.customer_id)
        for line in invoice.lines:
            earnings, reason = earner.line_earnings(
                invoice, line, attributions.get(members), lead_by_members.get(members)
            )
            if reason:
                unpaid[line.line_id] = reason
            for earning in earnings:
                lines += _rows(earning, invoice_take_backs(book, earning))
    for lead in leads:
        for earning in earner.event_earnings(lead, attributions[lead.members]):
            churn = churn_take_back(book, billing, lead, earning)
            lines += _rows(earning, [churn] if churn else [])
    lines.sort(key=lambda row: row.natural_key)
    _assert_unique(lines)
    return Result(_submissions(leads), attributions, lines, unpaid)


def _submissions(leads: list[Lead]) -> dict[str, tuple[str, str, str | None]]:
    return {key: verdict for lead in leads for key, verdict in lead.verdicts.items()}


def _rows(earning: Earning, take_backs: list[TakeBack]) -> list[DesiredLine]:
    own = TakeBack(
        kind="earning",
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
        )
        for row in [own, *take_backs]
        if row.amount_minor or row.payout_amount_minor
    ]


def _assert_unique(lines: list[DesiredLine]) -> None:
    keys = [row.natural_key for row in lines]
    assert len(keys) == len(set(keys)), "J2: one row per natural key"
