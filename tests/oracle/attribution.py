"""Which partners are credited for a lead (A1-A3, A5, A6).

Belongs here: the window, the priority of types, the grace of codes, what pays in the end.
Does not belong here: what a touch is (touches.py), the models (credits.py), what a credit pays
(commission.py).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from .credits import MODELS, credits_of_model, standing_touches
from .facts import Book
from .identity import record_key
from .leads import COMPETING, Lead
from .mail import normalise_domain, normalise_email
from .rulings import Credits, Pin, Ruling, pin_under, pins_of, rulings_on
from .terms import AttributionRules, Terms
from .touches import Touch

# Entities whose rows carry an e-mail or a company domain.
CARRIERS = (
    "contacts",
    "form_submissions",
    "deal_registrations",
    "lead_entries",
    "customers",
    "touchpoints",
    "meetings",
    "product_events",
)


@dataclass(frozen=True)
class Attribution:
    """The outcome for one lead.

    credits_ppm: what the touches come to, model -> partner_id -> parts per million, all five
    models; empty when no touch competes. paying_ppm: what pays, after rulings and pins; empty when
    nobody is credited. partner_id: who holds the largest part of it, the smallest id of equals;
    touch_id: that partner's last touch among those that share, None where no touch decided.
    touch_type: the type that competes (A2), None when no touch does.
    model and compare_models: of the version in force, None and () before the first.
    conversion_ends_at: A5, the last instant at which a first payment still counts.
    earned_events: decision 0031, those of leads that had earned and joined, (trigger, type, id).
    """

    members: frozenset[str]
    valid_at: datetime | None
    partner_id: str | None
    touch_id: str | None
    credits_ppm: dict[str, dict[str, int]]
    conversion_ends_at: datetime | None
    touch_type: str | None = None
    model: str | None = None
    compare_models: tuple[str, ...] = ()
    paying_ppm: Credits = field(default_factory=dict)
    is_ruled: bool = False
    pins: tuple[Pin, ...] = ()
    is_rejected: bool = False
    earned_events: frozenset[tuple[str, str, str]] = frozenset()

    @property
    def computed_ppm(self) -> Credits:
        """What the paying model comes to tonight, without rulings and pins."""
        return self.credits_ppm.get(self.model, {})

    @property
    def is_pinned(self) -> bool:
        """A6: the lead keeps the credits of the night in which it first earned."""
        return bool(self.pins)

    def customer_credits(self, customer_id: str) -> Credits:
        """What pays on a customer's lines: where leads joined, each customer keeps its own pin."""
        own = [pin for pin in self.pins if customer_id in pin.customers]
        return own[0].credits_ppm if own else self.paying_ppm

    def had_joined(self, customer_id: str) -> bool:
        """Decision 0031: the customer had earned, and passed A5, before its lead joined."""
        return len(self.pins) > 1 and any(customer_id in pin.customers for pin in self.pins)

    def event_credits(self, trigger: str, source_type: str, source_id: str) -> Credits:
        """What pays on an event: one that earned before leads joined keeps its own pin."""
        own = [pin for pin in self.pins if (trigger, source_type, source_id) in pin.events]
        return own[0].credits_ppm if own else self.paying_ppm

    def under(self, model: str | None) -> "Attribution":
        """A7: this lead as if a model paid; rulings and pins are of the paying one alone."""
        computed = self.credits_ppm.get(model, {})
        return replace(
            self, paying_ppm=computed, is_ruled=False, pins=(), earned_events=frozenset()
        )


def attribute(
    lead: Lead,
    book: Book,
    terms: Terms,
    rulings: Sequence[Ruling] = (),
    pins: Iterable[Pin] = (),
) -> Attribution:
    """A1: decided once, at the valid event, by the version in force on its local day."""
    day = book.zone.local_date(lead.valid_at) if lead.valid_at else None
    rules = terms.attribution_rules(day) if day else None
    rejected = day is not None and is_rejected(lead, book, terms)
    standing: list[Touch] = []
    if rules is not None and not rejected:
        standing = standing_touches(competing_touches(lead, rules), rules)
    ppm_by_model = {
        model: credits_of_model(model, standing, lead.valid_at, rules)
        for model in (MODELS if standing else ())
    }
    # A6: a ruling outweighs a pin, a pin what the touches come to tonight.
    rulings = rulings_on(lead.members, rulings)
    is_pinning = rules is not None and rules.after_earning == "pin"
    known = pins_of(lead.members, pins) if is_pinning and not rejected else ()
    held = tuple(pin_under(rulings, pin) for pin in known)
    paying = ppm_by_model.get(rules.model, {}) if rules else {}
    if rejected:
        paying = {}  # decision 0032: a ruling does not lift a refused domain
    elif rulings:
        paying = rulings[-1].credits_ppm
    elif held:
        paying = held[0].credits_ppm
    partner_id = min(paying, key=lambda partner: (-paying[partner], partner), default=None)
    conversion_ends_at = None
    if rules is not None and rules.conversion_window_days is not None:
        conversion_ends_at = lead.valid_at + timedelta(days=rules.conversion_window_days)
    return Attribution(
        members=lead.members,
        valid_at=lead.valid_at,
        partner_id=partner_id,
        touch_id=_deciding_touch(partner_id, standing, rules),
        credits_ppm=ppm_by_model,
        conversion_ends_at=conversion_ends_at,
        touch_type=standing[0].touch_type if standing else None,
        model=rules.model if rules else None,
        compare_models=rules.compare_models if rules else (),
        paying_ppm=paying,
        is_ruled=bool(rulings) and not rejected,
        pins=held,
        is_rejected=rejected,
        earned_events=frozenset().union(*(pin.events for pin in held if len(held) > 1)),
    )


def _deciding_touch(
    partner_id: str | None, standing: list[Touch], rules: AttributionRules | None
) -> str | None:
    own = [touch.touch_id for touch in standing if touch.partner_id == partner_id]
    if not own:
        return None
    return own[0] if rules.model == "first_touch" else own[-1]


def is_rejected(lead: Lead, book: Book, terms: Terms) -> bool:
    """L1, decision 0005: every domain the lead carries is our own or blocked."""
    rules = terms.lead_rules(book.zone.local_date(lead.valid_at))
    listed = rules.own_domains | rules.blocked_domains if rules else frozenset()
    if not listed:
        return False
    domains = set()
    for entity in CARRIERS:
        for row in book.rows(entity):
            if record_key(entity, row) in lead.members:
                email = normalise_email(row.get("email", ""))
                domains |= {email.rpartition("@")[2]} if email else set()
                if row.get("company_domain"):
                    domains.add(normalise_domain(row["company_domain"]))
    return bool(domains) and domains <= listed


def competing_touches(lead: Lead, rules: AttributionRules) -> list[Touch]:
    """A1, A2: touches of the highest type present in the window, in order of (time, id)."""
    earliest = lead.valid_at - timedelta(days=rules.touch_window_days)
    eligible = sorted(
        (
            touch
            for touch in lead.touches
            if earliest <= touch.occurred_at <= lead.valid_at  # A1: both ends included
            and _competes(lead, touch)
        ),
        key=lambda touch: touch.order,
    )
    links = [touch for touch in eligible if touch.touch_type == "referral_link"]
    for touch_type in rules.priority:
        standing = [
            touch
            for touch in eligible
            if touch.touch_type == touch_type and not _loses_to_link(touch, links, rules)
        ]
        if standing:
            return standing
    return []


def _competes(lead: Lead, touch: Touch) -> bool:
    """L4: the touch of a rejected submission does not compete."""
    verdict = lead.verdicts.get(touch.touch_id)
    return verdict is None or verdict[1] in COMPETING


def _loses_to_link(touch: Touch, links: list[Touch], rules: AttributionRules) -> bool:
    """A2: a code loses to another partner's link in [code - grace, code]; grace 0 = never."""
    if touch.touch_type != "promotion_code" or rules.code_grace_hours == 0:
        return False
    opens_at = touch.occurred_at - timedelta(hours=rules.code_grace_hours)
    return any(
        link.partner_id != touch.partner_id and opens_at <= link.occurred_at <= touch.occurred_at
        for link in links
    )
