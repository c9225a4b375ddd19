"""Which partner is credited for a lead (A1-A3, A5), for `last_touch` and `first_touch`.

Belongs here: the window, the priority of types, the grace of codes, the models.
Does not belong here: what a touch is (touches.py), what the credit pays (commission.py).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from .facts import Book
from .identity import normalise_domain, normalise_email, record_key
from .leads import COMPETING, Lead
from .terms import AttributionRules, Terms
from .touches import Touch

WHOLE_PPM = 1_000_000
# Entities whose rows carry an e-mail or a company domain.
CARRIERS = (
    "contacts",
    "form_submissions",
    "deal_registrations",
    "customers",
    "touchpoints",
    "meetings",
    "product_events",
)


@dataclass(frozen=True)
class Attribution:
    """The outcome for one lead; winner None when no touch competes."""

    members: frozenset[str]
    valid_at: datetime | None
    partner_id: str | None
    touch_id: str | None
    credits_ppm: dict[str, dict[str, int]]  # model -> partner_id -> parts per million
    conversion_ends_at: datetime | None  # A5: last instant at which a first payment still counts


def attribute(lead: Lead, book: Book, terms: Terms) -> Attribution:
    """A1: decided once, at the valid event, by the version in force on its local day."""
    nothing = Attribution(lead.members, lead.valid_at, None, None, {}, None)
    if lead.valid_at is None:
        return nothing
    rules = terms.attribution_rules(book.zone.local_date(lead.valid_at))
    if rules is None:
        return nothing
    if is_rejected(lead, book, terms):
        return nothing
    competing = competing_touches(lead, rules)
    if not competing:
        return nothing
    winners = {model: _winner(model, competing, rules) for model in ("last_touch", "first_touch")}
    ppm_by_model = {model: {touch.partner_id: WHOLE_PPM} for model, touch in winners.items()}
    paying = winners[rules.model]
    conversion_ends_at = None
    if rules.conversion_window_days is not None:
        conversion_ends_at = lead.valid_at + timedelta(days=rules.conversion_window_days)
    return Attribution(
        lead.members,
        lead.valid_at,
        paying.partner_id,
        paying.touch_id,
        ppm_by_model,
        conversion_ends_at,
    )


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


def _winner(model: str, competing: list[Touch], rules: AttributionRules) -> Touch:
    """A3: last or first touch; of a collapsed run of one partner the last touch stays."""
    runs = competing
    if rules.collapse_repeats:
        runs = [
            touch
            for touch, following in zip(competing, [*competing[1:], None], strict=True)
            if following is None or following.partner_id != touch.partner_id
        ]
    return runs[-1] if model == "last_touch" else runs[0]
