"""The oracle's one door: facts, decisions, programme and day in; what partnerledger must say out.

Belongs here: putting the topics together and shaping the result.
Does not belong here: any rule.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from .attribution import Attribution, attribute
from .billing import Billing
from .commission import Earner, Earning
from .facts import Book, Facts
from .fx import Rates
from .identity import Identity
from .leads import Lead, build_leads
from .rulings import Earned, Pin, Ruling, pins_after
from .takebacks import TakeBack, churn_take_back, invoice_take_backs, payout_of
from .terms import Program, Terms

Attributions = Mapping[frozenset[str], Attribution]
RECOMPUTED = "recomputed"  # A7: the paying model without rulings and pins


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
    comparison: A7, (model, partner_id, currency_code) -> earned before take-backs (under what pays,
    under the model), minor units, where either is not 0; the model `recomputed` is the paying one
    without rulings and pins. pins: for the next night (A6), those of earlier nights included.
    """

    submissions: dict[str, tuple[str, str, str | None]]
    attributions: dict[frozenset[str], Attribution]
    lines: list[DesiredLine]
    unpaid: dict[str, str]
    comparison: dict[tuple[str, str, str], tuple[int, int]]
    pins: tuple[Pin, ...]

    def lead_of(self, record: str) -> Attribution:
        """The outcome of the lead that holds a record such as `contacts:c1`."""
        return next(a for members, a in self.attributions.items() if record in members)


def compute(
    facts: Facts,
    program: Program,
    as_of: date,
    *,
    rulings: Sequence[Ruling] = (),
    payees: Mapping[str, str] | None = None,
    pins: Iterable[Pin] = (),
) -> Result:
    """Everything that `as_of`'s night must come to, from facts, decisions and terms alone.

    rulings: those in force, oldest first. payees: partner id -> fingerprint of its account (L4).
    pins: `Result.pins` of the night before, none for a fresh home.
    """
    terms = Terms(program)
    book = Book(facts, terms.timezone, as_of)
    billing = Billing(book)
    identity = Identity(book, terms.lead_rules(as_of) or terms.first_lead_rules())
    leads = build_leads(book, terms, billing, identity, payees or {})
    pins = tuple(pins)
    attributions = {lead.members: attribute(lead, book, terms, rulings, pins) for lead in leads}
    night = _Night(billing, identity, leads, Earner(book, terms, billing, Rates(book)))

    lines: list[DesiredLine] = []
    earnings = list(night.earnings(attributions))
    for lead, earning in earnings:
        if earning.invoice:
            take_backs = invoice_take_backs(book, earning)
        else:
            churn = churn_take_back(book, billing, lead, earning)
            take_backs = [churn] if churn else []
        lines += _rows(earning, take_backs)
    # A6: what a ruling paid pins nobody.
    unruled = {m: a.paying_ppm for m, a in attributions.items() if not a.is_ruled}
    lines.sort(key=lambda row: row.natural_key)
    _assert_unique(lines)
    return Result(
        _submissions(leads),
        attributions,
        lines,
        night.unpaid(attributions),
        _comparison(night, attributions, earnings),
        pins_after(_earned(earnings), unruled, _first_days(book, earnings), pins),
    )


@dataclass(frozen=True)
class _Night:
    """The facts of a night, ready to earn under any credits."""

    billing: Billing
    identity: Identity
    leads: list[Lead]
    earner: Earner

    def earnings(self, attributions: Attributions) -> Iterator[tuple[Lead, Earning]]:
        """Every earning with its lead: of lines, then of events."""
        for lead, found, _, _ in self._lines(attributions):
            yield from ((lead, earning) for earning in found)
        for lead in self.leads:
            if lead.members in attributions:
                for earning in self.earner.event_earnings(lead, attributions[lead.members]):
                    yield lead, earning

    def unpaid(self, attributions: Attributions) -> dict[str, str]:
        """B6: the reason of each paid line on which nobody earns."""
        return {line_id: reason for _, _, line_id, reason in self._lines(attributions) if reason}

    def _lines(
        self, attributions: Attributions
    ) -> Iterator[tuple[Lead | None, list[Earning], str, str]]:
        lead_by_members = {lead.members: lead for lead in self.leads}
        for invoice in self.billing.invoices.values():
            if invoice.paid_share <= 0:
                continue
            members = self.identity.lead_of_customer(invoice.customer_id)
            lead, attribution = lead_by_members.get(members), attributions.get(members)
            for line in invoice.lines:
                found, reason = self.earner.line_earnings(invoice, line, attribution, lead)
                yield lead, found, line.line_id, reason


def _comparison(
    night: _Night, attributions: Attributions, paying: list[tuple[Lead, Earning]]
) -> dict[tuple[str, str, str], tuple[int, int]]:
    """A7: over the leads for which a model is computed, what pays and what the model would pay."""
    found: dict[tuple[str, str, str], list[int]] = defaultdict(lambda: [0, 0])
    models = {model for a in attributions.values() for model in a.compare_models}
    for model in sorted(models | {RECOMPUTED}):
        under = {
            members: a.under(a.model if model == RECOMPUTED else model)
            for members, a in attributions.items()
            if model == RECOMPUTED or model in a.compare_models
        }
        earned = ([e for e in paying if e[0].members in under], night.earnings(under))
        for position, earnings in enumerate(earned):
            for _, earning in earnings:
                key = (model, earning.partner_id, earning.currency_code)
                found[key][position] += earning.amount_minor
    return {key: (paid, other) for key, (paid, other) in found.items() if paid or other}


def _earned(earnings: list[tuple[Lead, Earning]]) -> dict[frozenset[str], Earned]:
    """The customers and events on which each lead earned."""
    found: dict[frozenset[str], Earned] = defaultdict(lambda: (set(), set()))
    for lead, earning in earnings:
        customers, events = found[lead.members]
        if earning.invoice:
            customers.add(earning.invoice.customer_id)
        else:
            events.add((earning.component.trigger, earning.source_type, earning.source_id))
    return found


def _first_days(book: Book, earnings: list[tuple[Lead, Earning]]) -> dict[frozenset[str], date]:
    """The local day on which each lead first earned."""
    days: dict[frozenset[str], date] = {}
    for lead, earning in earnings:
        day = book.zone.local_date(earning.earned_at)
        days[lead.members] = min(day, days.get(lead.members, day))
    return days


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
