"""Leads: their stages, when they become valid, and the verdict on each submission (L1-L4).

Belongs here: stage events, the valid event, verdicts with their rival.
Does not belong here: which partner is credited (attribution.py).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from .billing import Billing, Payment
from .facts import ENTERED, SOURCE, Book, Row, is_true
from .identity import Identity, record_key
from .mail import business_domain, normalise_domain, normalise_email
from .terms import AttributionRules, LeadRules, Terms
from .touches import Codes, Touch, all_touches

# L5: the ladder, lowest first.
LADDER = ("signup", "demo_booked", "demo_held", "qualified", "deal_won", "first_payment")
# A verdict under which a submission counts as accepted (L3) and its touch competes (L4).
ACCEPTED = ("valid", "pending")
COMPETING = ("valid", "pending", "duplicate_same_partner")


@dataclass(frozen=True)
class StageEvent:
    """A lead reaching a stage, with the record that shows it."""

    at: datetime
    source_type: str
    source_id: str
    stage: str


@dataclass(frozen=True)
class WonDeal:
    """A won deal; amount None when the deal names none."""

    won_at: datetime
    deal_id: str
    amount_minor: int | None
    currency_code: str


@dataclass(frozen=True)
class Submission:
    """A form with a partner's code, a deal registration or an entered lead (L1)."""

    key: str
    record: str
    partner_id: str
    at: datetime
    row: Row
    is_registration: bool


@dataclass
class Lead:
    """One lead with everything known of it on `as_of`.

    lead_id: orders leads that became valid at one instant (decision 0037).
    """

    members: frozenset[str]
    lead_id: str = ""
    customer_ids: set[str] = field(default_factory=set)
    deals: list[Row] = field(default_factory=list)
    touches: list[Touch] = field(default_factory=list)
    submissions: list[Submission] = field(default_factory=list)
    stage_events: list[StageEvent] = field(default_factory=list)
    won_deals: list[WonDeal] = field(default_factory=list)
    first_payment: Payment | None = None
    valid_at: datetime | None = None
    verdicts: dict[str, tuple[str, str, str | None]] = field(default_factory=dict)


@dataclass(frozen=True)
class _Protection:
    partner_id: str
    start: datetime
    end: datetime
    key: str


def build_leads(
    book: Book,
    terms: Terms,
    billing: Billing,
    identity: Identity,
    payees: Mapping[str, str],
    lead_ids: Mapping[frozenset[str], str],
) -> list[Lead]:
    """All leads with stages, valid event and verdicts.

    payees: partner id -> fingerprint. lead_ids: by members; a lead that has none here is called
    after its smallest record.
    """
    leads = {
        members: Lead(members, lead_ids.get(members, min(members))) for members in identity.leads()
    }
    codes = Codes(book)
    for customer_id in _all_customer_ids(book, billing):
        members = identity.lead_of_customer(customer_id)
        if members is not None:
            leads[members].customer_ids.add(customer_id)
    for row in book.rows("deals"):
        leads[identity.lead_of_record(record_key("deals", row))].deals.append(row)
    customer_of = {row["invoice_id"]: row["customer_id"] for row in book.rows("invoices")}
    for touch in all_touches(book, codes):
        entity, _, object_id = touch.record.partition(":")
        if entity == "invoices":
            members = identity.lead_of_customer(customer_of[object_id])
        else:
            members = identity.lead_of_record(touch.record)
        if members is not None:
            leads[members].touches.append(touch)
    for submission in _submissions(book, codes):
        leads[identity.lead_of_record(submission.record)].submissions.append(submission)
    _add_stage_events(book, billing, identity, leads)
    kin = _kin(book, payees)
    for lead in leads.values():
        lead.valid_at = _valid_at(lead, book, terms)
        _judge(lead, book, terms, kin)
    return list(leads.values())


def _kin(book: Book, payees: Mapping[str, str]) -> dict[str, list[Row]]:
    """L4: each partner with all partners that are paid to the same account, itself included."""
    rows = book.rows("partners")
    return {
        row["partner_id"]: [
            other
            for other in rows
            if other["partner_id"] == row["partner_id"]
            or payees.get(other["partner_id"], "") == payees.get(row["partner_id"])
        ]
        for row in rows
    }


def _all_customer_ids(book: Book, billing: Billing) -> set[str]:
    ids = billing.customer_ids()
    for entity in ("customers", "touchpoints", "product_events", "subscriptions"):
        ids |= {row["customer_id"] for row in book.rows(entity) if row.get("customer_id")}
    return ids


def _submissions(book: Book, codes: Codes) -> list[Submission]:
    """L1: a form with a code that resolves, a registration or an entry of a known partner."""
    found = []
    for row in book.rows("form_submissions"):
        at = book.instant(row, "submitted_at")
        use = codes.resolve(row.get("code", ""), at)
        if use:
            record = record_key("form_submissions", row)
            key = f"{SOURCE}:{record}"
            found.append(Submission(key, record, use.partner_id, at, row, False))
    for row in book.rows("deal_registrations"):
        if codes.knows_partner(row["partner_id"]):
            record = record_key("deal_registrations", row)
            at = book.instant(row, "submitted_at")
            key = f"{SOURCE}:{record}"
            found.append(Submission(key, record, row["partner_id"], at, row, True))
    for row in book.rows("lead_entries"):
        if codes.knows_partner(row["partner_id"]):
            record = record_key("lead_entries", row)
            at = book.instant(row, "submitted_at")
            key = f"{ENTERED}:{record}"
            found.append(Submission(key, record, row["partner_id"], at, row, False))
    return found


def deal_closed_at(book: Book, row: Row) -> datetime | None:
    """When a deal was won or lost; None while it is open (a bare close date closes nothing)."""
    if not is_true(row, "is_won") and not is_true(row, "is_lost"):
        return None
    for column in ("closed_at", "updated_at", "created_at"):
        moment = book.instant(row, column)
        if moment is not None:
            return moment
    return None


def _add_stage_events(
    book: Book, billing: Billing, identity: Identity, leads: dict[frozenset[str], Lead]
) -> None:
    """L2, L5: what shows that a lead reached a stage."""

    def add(entity: str, row: Row, event: StageEvent) -> None:
        leads[identity.lead_of_record(record_key(entity, row))].stage_events.append(event)

    for row in book.rows("product_events"):
        if row["name"] == "signup":
            at = book.instant(row, "occurred_at")
            event = StageEvent(at, "product_event", row["event_id"], "signup")
            add("product_events", row, event)
    for row in book.rows("meetings"):
        meeting_id = row["meeting_id"]
        if row["outcome"] != "canceled":  # "the meeting's booking, unless it was cancelled"
            at = book.instant(row, "booked_at")
            add("meetings", row, StageEvent(at, "meeting", meeting_id, "demo_booked"))
        if row["outcome"] == "held":  # "its start, if the outcome is held"
            at = book.instant(row, "starts_at")
            add("meetings", row, StageEvent(at, "meeting", meeting_id, "demo_held"))
    for row in book.rows("deals"):
        deal_id = row["deal_id"]
        qualified_at = _qualified_at(book, deal_id)
        if qualified_at is not None:
            add("deals", row, StageEvent(qualified_at, "deal", deal_id, "qualified"))
        if is_true(row, "is_won"):
            won_at = deal_closed_at(book, row)
            add("deals", row, StageEvent(won_at, "deal", deal_id, "deal_won"))
            lead = leads[identity.lead_of_record(record_key("deals", row))]
            amount = int(row["amount_minor"]) if row.get("amount_minor") else None
            lead.won_deals.append(WonDeal(won_at, deal_id, amount, row.get("currency_code", "")))
    for lead in leads.values():
        lead.first_payment = billing.first_payment(lead.customer_ids)
        if lead.first_payment:
            paid = lead.first_payment
            lead.stage_events.append(
                StageEvent(paid.paid_at, paid.source_type, paid.source_id, "first_payment")
            )
        lead.stage_events.sort(key=lambda e: (e.at, e.source_id))
        lead.won_deals.sort(key=lambda d: (d.won_at, d.deal_id))


def _qualified_at(book: Book, deal_id: str) -> datetime | None:
    """L2: `qualified` comes from CRM stages only: the first version seen in that stage."""
    moments = [
        book.instant(version, "updated_at") or book.instant(version, "created_at")
        for version in book.versions("deals", deal_id)
        if version.get("stage", "").strip().lower() == "qualified"
    ]
    return min(moments, default=None)


def _valid_at(lead: Lead, book: Book, terms: Terms) -> datetime | None:
    """L2: the first event at or above `valid_when` of the version in force on its local day."""
    for event in lead.stage_events:
        if event.stage in ("deal_won", "first_payment"):
            return event.at  # "a won deal or a first payment makes any lead valid"
        rules = terms.lead_rules(book.zone.local_date(event.at))
        if rules and LADDER.index(event.stage) >= LADDER.index(rules.valid_when):
            return event.at
    return None


def _judge(lead: Lead, book: Book, terms: Terms, kin: dict[str, list[Row]]) -> None:
    """L1: one verdict per submission, in order of submission so that L3 sees what stands."""
    day = book.zone.local_date(lead.valid_at) if lead.valid_at else book.as_of
    scope_rules = terms.lead_rules(book.as_of) or terms.first_lead_rules()
    attribution = terms.attribution_rules(day) or terms.first_attribution_rules()
    protections: list[_Protection] = []
    for submission in sorted(lead.submissions, key=lambda s: (s.at, s.key)):
        # L2: the version in force on the submission's own day, the first for days before it
        rules = terms.lead_rules(book.zone.local_date(submission.at)) or terms.first_lead_rules()
        verdict, rival = (
            _own_fault(submission, rules, kin[submission.partner_id], scope_rules.scope)
            or _known_before(lead, submission, rules, book)
            or _duplicate(submission, protections)
            or _timing(lead, submission, attribution, book)
        )
        lead.verdicts[submission.key] = (submission.partner_id, verdict, rival)
        protection = _protection(submission, verdict, rules, book)
        if protection:
            protections.append(protection)


def _own_fault(
    submission: Submission, rules: LeadRules, kin: list[Row], scope: str
) -> tuple[str, str | None] | None:
    """L1: what the submission alone shows, in the order of the list."""
    row = submission.row
    if submission.is_registration and row["status"] in ("declined", "withdrawn"):
        return row["status"], None
    email = normalise_email(row.get("email", ""))
    domains = {email.rpartition("@")[2]} if email else set()
    if row.get("company_domain"):
        domains.add(normalise_domain(row["company_domain"]))
    # F4: `person` never joins by company or domain, so there a domain names nobody
    named_business = (
        scope == "account"
        and bool(row.get("company_domain"))
        and business_domain(row["company_domain"])
    )
    if not email and not named_business and not row.get("deal_id"):
        return "incomplete", None  # it names neither a person, a company nor a deal
    if domains & rules.own_domains:
        return "own_domain", None
    if domains & rules.blocked_domains:
        return "blocked", None
    if rules.self_referral == "reject" and submission.partner_id not in rules.self_referral_allowed:
        for partner in kin:
            own_email = normalise_email(partner.get("email", ""))
            own_domain = business_domain(partner.get("company_domain", ""))
            if (email and email == own_email) or own_domain in domains:
                return "self_referral", None
    return None


def _known_before(
    lead: Lead, submission: Submission, rules: LeadRules, book: Book
) -> tuple[str, str | None] | None:
    """L4: existing customer and open opportunity, compared with the moment of the touch."""
    paid = lead.first_payment
    if rules.existing_customer == "reject" and paid and paid.paid_at < submission.at:
        return "existing_customer", f"{SOURCE}:{paid.source_type}s:{paid.source_id}"
    if rules.open_opportunity == "reject":
        open_deals = []
        for deal in lead.deals:
            created_at, closed_at = book.instant(deal, "created_at"), deal_closed_at(book, deal)
            is_open = created_at < submission.at and (
                closed_at is None or closed_at > submission.at
            )
            # "unless that partner had any touch on the lead before the deal"
            excused = any(
                touch.partner_id == submission.partner_id and touch.occurred_at < created_at
                for touch in lead.touches
            )
            if is_open and not excused:
                open_deals.append((created_at, deal["deal_id"]))
        if open_deals:
            return "open_opportunity", f"{SOURCE}:deals:{min(open_deals)[1]}"
    return None


def _duplicate(
    submission: Submission, protections: list[_Protection]
) -> tuple[str, str | None] | None:
    """L3: while the lead is protected, half-open; the one that lasts longest is the rival."""
    active = [p for p in protections if p.start <= submission.at < p.end]
    for verdict, is_same in (("duplicate_same_partner", True), ("duplicate_other_partner", False)):
        rivals = [p for p in active if (p.partner_id == submission.partner_id) == is_same]
        if rivals:
            end = max(rival.end for rival in rivals)  # decision 0036; of equals the earlier
            lasting = [rival for rival in rivals if rival.end == end]
            return verdict, min(lasting, key=lambda p: (p.start, p.key)).key
    return None


def _timing(
    lead: Lead, submission: Submission, attribution: AttributionRules, book: Book
) -> tuple[str, str | None]:
    """L1: expired, out of window, pending, valid."""
    expires_at = book.instant(submission.row, "expires_at")
    if submission.is_registration and expires_at is not None:
        # The registration ended before the lead became valid (or before tonight ended).
        if (lead.valid_at is None and expires_at < book.end_at) or (
            lead.valid_at is not None and expires_at <= lead.valid_at
        ):
            return "expired", None
    if lead.valid_at is not None:
        earliest = lead.valid_at - timedelta(days=attribution.touch_window_days)
        if not earliest <= submission.at <= lead.valid_at:
            return "out_of_window", None
    undecided = submission.is_registration and submission.row["status"] == "pending"
    return ("pending" if lead.valid_at is None or undecided else "valid"), None


def _protection(
    submission: Submission, verdict: str, rules: LeadRules, book: Book
) -> _Protection | None:
    """L3: an accepted submission, or an approved registration, protects from its submission."""
    end = submission.at + timedelta(days=rules.protection_days)
    if submission.is_registration:
        stands = verdict in (*COMPETING, "expired", "out_of_window")
        if submission.row["status"] != "approved" or not stands:
            return None  # a registration that is not decided protects nothing
        end = book.instant(submission.row, "expires_at") or end
    elif verdict not in ACCEPTED:
        return None
    return _Protection(submission.partner_id, submission.at, end, submission.key)
