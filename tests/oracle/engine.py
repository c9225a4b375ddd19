"""The oracle's one door: facts, decisions, programme and day in; what partnerledger must say out.

Belongs here: putting the topics together and shaping the result.
Does not belong here: any rule.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from .attribution import Attribution, attribute
from .billing import Billing
from .bonuses import bonuses
from .caps import Cut, cut_lines
from .claims import REASONS, Claim, Claimer
from .clocks import Clocks
from .commission import Earner
from .compared import Attributions, comparison
from .desired import DesiredLine, rows_of
from .earnings import Earning
from .events import EventEarner
from .facts import Book, Facts
from .fx import Rates
from .identity import Identity
from .leads import Lead, build_leads
from .posted import Posted
from .referrals import Referrers
from .rulings import Earned, Pin, Ruling, pins_after
from .shapes import Shapes
from .takebacks import TakeBack, churn_take_back, invoice_take_backs
from .terms import Program, Terms
from .tiers import Volumes


@dataclass(frozen=True)
class Result:
    """What the night must say.

    submissions: submission_key -> (partner_id, verdict, rival_key or None).
    attributions: member record keys (`entity:id`) of a lead -> its outcome; every lead is there.
    lines: sorted by natural key; a share of a referrer names the referred earning by its component,
    source and partner. unpaid: invoice_line_id -> reason (B6). cuts: (invoice_line_id, partner_id,
    component_id) -> what caps did.
    comparison: A7, (model, partner_id, currency_code) -> earned before take-backs (under what pays,
    under the model), minor units, where either is not 0; the model `recomputed` is the paying one
    without rulings and pins. pins, posted: for the next night, those of earlier nights included.
    """

    submissions: dict[str, tuple[str, str, str | None]]
    attributions: dict[frozenset[str], Attribution]
    lines: list[DesiredLine]
    unpaid: dict[str, str]
    cuts: Mapping[tuple[str, str, str], Cut]
    comparison: dict[tuple[str, str, str], tuple[int, int]]
    pins: tuple[Pin, ...]
    posted: Posted

    @property
    def bonuses(self) -> tuple[DesiredLine, ...]:
        """The bonuses among the lines."""
        return self.posted.bonuses

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
    posted: Posted | None = None,
    lead_ids: Mapping[frozenset[str], str] | None = None,
) -> Result:
    """Everything that `as_of`'s night must come to, from facts, decisions and terms alone.

    rulings: those in force, oldest first. payees: partner id -> fingerprint of its account (L4).
    pins, posted: those of the night before's result, none for a fresh home.
    lead_ids: by members, as the nights gave them (decision 0029); they decide between equals.
    """
    terms = Terms(program)
    book = Book(facts, terms.timezone, as_of)
    billing = Billing(book)
    identity = Identity(book, terms.lead_rules(as_of) or terms.first_lead_rules())
    leads = build_leads(book, terms, billing, identity, payees or {}, lead_ids or {})
    pins = tuple(pins)
    attributions = {lead.members: attribute(lead, book, terms, rulings, pins) for lead in leads}
    posted = posted or Posted()
    night = _Night(book, terms, billing, identity, leads, attributions, posted)

    earnings = list(night.earnings(attributions))
    taken = [(earning, night.take_backs(lead, earning)) for lead, earning in earnings]
    shares = night.shares(taken)
    rows = [rows_of(earning, take_backs) for earning, take_backs in taken + shares]
    lines = [row for found in rows for row in found] + night.bonuses()
    lines.sort(key=lambda row: row.natural_key)
    _assert_unique(lines)
    # A6: what a ruling paid pins nobody.
    unruled = {m: a.paying_ppm for m, a in attributions.items() if not a.is_ruled}
    return Result(
        _submissions(leads),
        attributions,
        lines,
        night.unpaid(),
        night.cuts,
        comparison(attributions, earnings, night.earnings),
        pins_after(_earned(earnings), unruled, _first_days(book, earnings), pins),
        Posted(
            tuple(row for row in lines if row.kind == "bonus"),
            night.countries(),
            night.referrers,
        ),
    )


@dataclass(frozen=True)
class _PaidLine:
    """A line of a paid invoice: who claims it, and why else nobody does."""

    lead: Lead | None
    line_id: str
    claims: list[Claim]
    reasons: list[str]


class _Night:
    """The facts of a night, ready to earn under any credits.

    attributions: those that pay; tiers and caps count by them whatever is compared (decisions 0037
    and 0038).
    """

    def __init__(
        self,
        book: Book,
        terms: Terms,
        billing: Billing,
        identity: Identity,
        leads: list[Lead],
        attributions: Attributions,
        posted: Posted,
    ) -> None:
        self._posted = posted
        self.referrers = dict(posted.referrers)
        self._book, self._terms, self._billing = book, terms, billing
        self._identity, self._leads, self._attributions = identity, leads, attributions
        self._rates = Rates(book)
        clocks = Clocks(billing)
        self._claimer = Claimer(book, terms, clocks)
        self._paying = list(self._lines(attributions))
        claims = [claim for line in self._paying for claim in line.claims]
        volumes = Volumes(book, terms, self._rates, claims, leads, attributions)
        self._shapes = Shapes(book, clocks, volumes, posted.countries)
        self.cuts = cut_lines(book, claims, self._shapes.whole)
        self._earner = Earner(book, terms, self._rates, self._shapes)
        self._events = EventEarner(book, terms, self._rates, self._claimer)

    def earnings(self, attributions: Attributions) -> Iterator[tuple[Lead, Earning]]:
        """Every earning with its lead: of lines, then of events."""
        is_paying = attributions is self._attributions
        for line in self._paying if is_paying else self._lines(attributions):
            for outcome in self._outcomes(line):
                if isinstance(outcome, Earning):
                    yield line.lead, outcome
        for lead in self._leads:
            if lead.members in attributions:
                for earning in self._events.earnings(lead, attributions[lead.members]):
                    yield lead, earning

    def unpaid(self) -> dict[str, str]:
        """B6, decision 0036: of each paid line on which nobody earns the reason nearest to it."""
        reasons = {}
        for line in self._paying:
            outcomes = [*line.reasons, *self._outcomes(line)]
            if not any(isinstance(outcome, Earning) for outcome in outcomes):
                reasons[line.line_id] = max(outcomes, key=REASONS.index)
        return reasons

    def take_backs(self, lead: Lead, earning: Earning) -> list[TakeBack]:
        """What is taken back of an earning, in event order."""
        if earning.invoice:
            return invoice_take_backs(self._book, earning)
        churn = churn_take_back(self._book, self._billing, lead, earning)
        return [churn] if churn else []

    def shares(
        self, earnings: list[tuple[Earning, list[TakeBack]]]
    ) -> list[tuple[Earning, list[TakeBack]]]:
        """What referrers earn on them, with what is taken back of it."""
        referrers = Referrers(self._book, self._terms, self._rates, self._claimer, self.referrers)
        found = list(referrers.shares(earnings))
        self.referrers = referrers.kept
        return found

    def countries(self) -> dict[str, str]:
        """The customer's country of every line that is posted by tonight, where it is known."""
        return {
            claim.line.line_id: self._shapes.country(claim)
            for line in self._paying
            for claim in line.claims
            if isinstance(self._earner.earning(claim, self.cuts.get(claim.key)), Earning)
            and self._shapes.country(claim)
        } | dict(self._posted.countries)

    def bonuses(self) -> list[DesiredLine]:
        """Tonight's bonuses; "a posted bonus stays, whatever the facts say later"."""
        earned = bonuses(
            self._book, self._terms, self._billing, self._rates, self._leads, self._attributions
        )
        tonight = {row.natural_key: row for earning in earned for row in rows_of(earning, [])}
        kept = {row.natural_key: row for row in self._posted.bonuses}
        return list((tonight | kept).values())

    def _outcomes(self, line: _PaidLine) -> list[Earning | str]:
        return [self._earner.earning(claim, self.cuts.get(claim.key)) for claim in line.claims]

    def _lines(self, attributions: Attributions) -> Iterator[_PaidLine]:
        lead_by_members = {lead.members: lead for lead in self._leads}
        for invoice in self._billing.invoices.values():
            if invoice.paid_share <= 0:
                continue
            members = self._identity.lead_of_customer(invoice.customer_id)
            lead, attribution = lead_by_members.get(members), attributions.get(members)
            for line in invoice.lines:
                claims, reasons = self._claimer.claims(invoice, line, attribution, lead)
                yield _PaidLine(lead, line.line_id, claims, reasons)


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


def _assert_unique(lines: list[DesiredLine]) -> None:
    keys = [row.natural_key for row in lines]
    assert len(keys) == len(set(keys)), "J2: one row per natural key"
