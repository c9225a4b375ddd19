"""Bonuses: a fixed amount, once per period, for what a partner has reached (C1, decision 0040).

Belongs here: what counts, the event that reaches a threshold. Does not belong here: keeping a bonus
that was posted (engine.py).
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from .attribution import Attribution
from .billing import Billing
from .commission import payout_currency_of
from .earnings import Earning, Part
from .facts import Book, Row
from .fx import Conversion, Rates
from .leads import Lead
from .money import available_date, is_currency
from .plan_terms import Component, PlanVersion
from .terms import Terms
from .tiers import credited_leads, period_label

_Event = tuple[datetime, str, int]  # instant, id, what it adds to the count


def bonuses(
    book: Book,
    terms: Terms,
    billing: Billing,
    rates: Rates,
    leads: list[Lead],
    attributions: Mapping[frozenset[str], Attribution],
) -> list[Earning]:
    """The bonuses that the facts of one night come to, under what pays."""
    metrics = {
        (component.metric, component.period)
        for plan in terms.plan_versions()
        for component in plan.components_of("bonus")
    }
    found = []
    for partner in book.rows("partners"):
        reached: dict[tuple[str, str], list] = defaultdict(list)
        for metric, period in sorted(metrics):
            events = _events(book, terms, billing, rates, leads, attributions, partner, metric)
            for event, label, plan, component in _reaching(
                book, terms, partner, sorted(events), metric, period
            ):
                reached[component.component_id, label].append((event[:2], plan, component))
        for (_, label), candidates in sorted(reached.items()):
            (earned_at, _), plan, component = min(candidates, key=lambda candidate: candidate[0])
            earning = _earning(book, terms, partner, label, earned_at, plan, component)
            if earning is not None:
                found.append(earning)
    return found


def _reaching(
    book: Book,
    terms: Terms,
    partner: Row,
    events: Iterable[_Event],
    metric: str,
    period: str,
) -> Iterator[tuple[_Event, str, PlanVersion, Component]]:
    """The events after which a threshold is reached, each by the version of its own day."""
    counts: dict[str, int] = defaultdict(int)
    for event in events:
        day = book.zone.local_date(event[0])
        label = period_label(day, period)
        counts[label] += event[2]
        plan = terms.plan(partner, day)
        for component in plan.components_of("bonus") if plan else ():
            if (component.metric, component.period) == (metric, period):
                if counts[label] >= component.threshold:
                    yield event, label, plan, component


def _events(
    book: Book,
    terms: Terms,
    billing: Billing,
    rates: Rates,
    leads: list[Lead],
    attributions: Mapping[frozenset[str], Attribution],
    partner: Row,
    metric: str,
) -> list[_Event]:
    """What counts for a partner, in no order."""
    partner_id = partner["partner_id"]
    if metric == "conversions":
        credited = credited_leads(leads, attributions, partner_id)
        return [(lead.valid_at, lead.lead_id, 1) for lead in credited]
    found: list[_Event] = []
    for lead in leads:
        attribution = attributions.get(lead.members)
        if lead.valid_at is None or attribution is None or attribution.is_rejected:
            continue
        for customer_id in lead.customer_ids:
            if not attribution.customer_credits(customer_id).get(partner_id):
                continue
            if metric == "revenue":
                found += _paid_lines(book, terms, billing, rates, customer_id)
            else:
                found += _first_line(billing, customer_id)
    return found


def _first_line(billing: Billing, customer_id: str) -> list[_Event]:
    """A customer counts with its anchor line (C3): the first paid line of a positive amount."""
    line = billing.anchor_line(customer_id)
    if line is None:
        return []
    return [(billing.invoices[line.invoice_id].first_payment.paid_at, line.line_id, 1)]


def _paid_lines(
    book: Book, terms: Terms, billing: Billing, rates: Rates, customer_id: str
) -> list[_Event]:
    """All paid lines, whole, at the first payment; without a rate a line adds nothing."""
    found = []
    for invoice in billing.invoices_of(customer_id):
        if invoice.paid_share <= 0:
            continue
        at = invoice.first_paid_at
        conversion = rates.conversion(
            invoice.currency_code, terms.reporting_currency, book.zone.local_date(at)
        )
        if conversion is not None:  # "a line without a rate counts nothing": it is no event
            for line in invoice.lines:
                amount_minor = line.amount_minor - line.discount_minor
                found.append((at, line.line_id, conversion.convert(amount_minor)))
    return found


def _earning(
    book: Book,
    terms: Terms,
    partner: Row,
    label: str,
    earned_at: datetime,
    plan: PlanVersion,
    component: Component,
) -> Earning | None:
    payout_currency = payout_currency_of(partner, terms)
    amount_minor = component.amounts_minor.get(payout_currency)
    if not amount_minor or not is_currency(payout_currency):
        return None  # "no amount for the payout currency is an exception"
    earned_date = book.zone.local_date(earned_at)
    # "held like an event commission"
    held_until = available_date(earned_date, plan.hold_days, plan.hold_after)
    return Earning(
        component=component,
        plan=plan,
        partner_id=partner["partner_id"],
        source_type="period",
        source_id=label,
        amount_minor=amount_minor,
        currency_code=payout_currency,
        payout_currency_code=payout_currency,
        conversion=Conversion(1, None),
        earned_at=earned_at,
        parts=(Part(amount_minor, earned_date, held_until),),
    )
