"""Where a line stands in the volume that a partner has reached (C5, decision 0037).

Belongs here: places of customers and leads, sums of revenue, the band or bands of a line.
Does not belong here: which lines count (claims.py), rates of other shapes (shapes.py).
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from fractions import Fraction

from .attribution import Attribution
from .claims import Claim
from .facts import Book, Row, Zone
from .fx import Rates
from .leads import Lead
from .plan_terms import Tiers
from .terms import Terms

RateShares = tuple[tuple[Fraction, Fraction], ...]  # (rate, share of the line), shares sum to 1
_Place = tuple[tuple[datetime, str], str]  # (order, customer id or lead id)


def period_label(day: date, period: str) -> str:
    """The period in which a local day lies: 2026-03, 2026-Q1, 2026 or life."""
    labels = {
        "month": f"{day.year:04}-{day.month:02}",
        "quarter": f"{day.year:04}-Q{(day.month + 2) // 3}",
        "year": f"{day.year:04}",
        "life": "life",
    }
    return labels[period]


def credited_leads(
    leads: Iterable[Lead], attributions: Mapping[frozenset[str], Attribution], partner_id: str
) -> list[Lead]:
    """The valid leads for which a partner is credited, by what pays."""
    return [
        lead
        for lead in leads
        if lead.valid_at is not None
        and lead.members in attributions
        and not attributions[lead.members].is_rejected
        and attributions[lead.members].paying_ppm.get(partner_id)
    ]


class Volumes:
    """What each partner has reached under each plan and component, by what pays."""

    def __init__(
        self,
        book: Book,
        terms: Terms,
        rates: Rates,
        claims: Iterable[Claim],
        leads: list[Lead],
        attributions: Mapping[frozenset[str], Attribution],
    ) -> None:
        self._zone: Zone = book.zone
        self._terms = terms
        self._rates = rates
        self._leads = leads
        self._attributions = attributions
        self._partners: dict[str, Row] = {row["partner_id"]: row for row in book.rows("partners")}
        self._claims: dict[tuple[str, str, str], list[Claim]] = defaultdict(list)
        for claim in sorted(claims, key=lambda claim: claim.order):
            self._claims[claim.scope].append(claim)
        self._counted = {claim.key for found in self._claims.values() for claim in found}
        self._customer_places: dict[tuple[str, str, str], list[_Place]] = {}
        self._lead_places: dict[tuple[str, str], list[_Place]] = {}
        self._revenues: dict[tuple, list[tuple[tuple[datetime, str], str, int]]] = {}

    def rates_of(self, claim: Claim, tiers: Tiers) -> RateShares | None:
        """The bands of a line; None if it cannot be placed for want of an exchange rate."""
        if tiers.metric == "revenue":
            return self._rates_by_revenue(claim, tiers)
        reached = self._reached_by_place(claim, tiers)
        return ((tiers.rate_at(reached), Fraction(1)),)

    def is_counted(self, claim: Claim) -> bool:
        """Whether it is a claim that pays; one of a compared model alone counts nothing."""
        return claim.key in self._counted

    def _label(self, claim: Claim, tiers: Tiers) -> str:
        return period_label(self._zone.local_date(claim.invoice.first_paid_at), tiers.period)

    # customers and conversions

    def _reached_by_place(self, claim: Claim, tiers: Tiers) -> int:
        """The count whose band the line takes."""
        label = self._label(claim, tiers)
        if tiers.metric == "customers":
            places = self._places_of_customers(claim.scope)
            mine = claim.invoice.customer_id
        else:
            places = self._places_of_leads(claim.scope[:2])
            mine = claim.lead.lead_id
        inside = [
            (order, name)
            for order, name in places
            if period_label(self._zone.local_date(order[0]), tiers.period) == label
        ]
        if tiers.metric == "customers":
            before = sum(order < claim.order for order, _ in inside)
        else:  # "valid at the very instant of the payment is not before it"
            before = sum(order[0] < claim.order[0] for order, _ in inside)
        if not self.is_counted(claim) or tiers.mode == "forward":
            return before
        if tiers.mode == "whole":
            return len(inside)
        names = [name for _, name in inside]
        return names.index(mine) if mine in names else before

    def _places_of_customers(self, scope: tuple[str, str, str]) -> list[_Place]:
        """Each customer at its first line ever that the component pays on, in order.

        "With a base above 0": a free trial makes nobody a customer.
        """
        if scope not in self._customer_places:
            first: dict[str, tuple[datetime, str]] = {}
            for claim in self._claims[scope]:
                if claim.base_minor > 0:
                    first.setdefault(claim.invoice.customer_id, claim.order)
            places = sorted((order, customer_id) for customer_id, order in first.items())
            self._customer_places[scope] = places
        return self._customer_places[scope]

    def _places_of_leads(self, scope: tuple[str, str]) -> list[_Place]:
        """The partner's credited leads that this plan governed when they became valid, in order."""
        if scope not in self._lead_places:
            partner_id, plan_id = scope
            places = []
            for lead in credited_leads(self._leads, self._attributions, partner_id):
                day = self._zone.local_date(lead.valid_at)
                plan = self._terms.plan(self._partners[partner_id], day)
                if plan and plan.plan_id == plan_id:
                    places.append(((lead.valid_at, lead.lead_id), lead.lead_id))
            self._lead_places[scope] = sorted(places)
        return self._lead_places[scope]

    # revenue

    def _rates_by_revenue(self, claim: Claim, tiers: Tiers) -> RateShares | None:
        own = self._revenue_minor(claim)
        if own is None and claim.base_minor:
            return None  # of nothing no rate is needed
        label = self._label(claim, tiers)
        before = total = 0
        for order, other_label, value in self._revenues_of(claim.scope, tiers):
            if other_label == label:
                total += value
                before += value if order < claim.order else 0
        is_counted = self.is_counted(claim)
        if is_counted and tiers.mode == "marginal" and own:
            return _filled(tiers, before, before + own)
        reached = total if is_counted and tiers.mode == "whole" else before
        return ((tiers.rate_at(reached), Fraction(1)),)

    def _revenues_of(
        self, scope: tuple[str, str, str], tiers: Tiers
    ) -> list[tuple[tuple[datetime, str], str, int]]:
        """(order, period, value) of each line; one without a rate counts nothing until it has."""
        key = (scope, tiers.period)
        if key not in self._revenues:
            self._revenues[key] = [
                (claim.order, self._label(claim, tiers), self._revenue_minor(claim) or 0)
                for claim in self._claims[scope]
            ]
        return self._revenues[key]

    def _revenue_minor(self, claim: Claim) -> int | None:
        """The line's whole base in the reporting currency; None without a rate of its day."""
        conversion = self._rates.conversion(
            claim.invoice.currency_code,
            self._terms.reporting_currency,
            self._zone.local_date(claim.invoice.first_paid_at),
        )
        return conversion.convert(claim.base_minor) if conversion else None


def _filled(tiers: Tiers, before: int, after: int) -> RateShares:
    """Marginal: the part of each band between two sums; the first band reaches below 0."""
    low, high = sorted((before, after))
    ends: list[int | None] = [start for start, _ in tiers.bands[1:]] + [None]
    shares = []
    for position, ((start, rate), end) in enumerate(zip(tiers.bands, ends, strict=True)):
        lowest = low if position == 0 else max(low, start)
        highest = high if end is None else min(high, end)
        if highest > lowest:
            shares.append((rate, Fraction(highest - lowest, high - low)))
    return tuple(shares)
