"""Partners of three groups with their links and promotion codes, and the product list.

The first eight partners are fixed, because the stories name them: p_1 default USD, p_2 agency
USD, p_3 affiliate EUR, p_4 default EUR, p_5 paused, p_6 terminated, p_7 JPY, p_8 pilot. What a
group or a code earns does not belong here.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from ingest.sample.sizes import Sizes
from ingest.sample.wordlists import (
    FIRST_NAMES,
    PARTNER_STEMS,
    PARTNER_SUFFIXES,
    SURNAMES,
)

PRODUCTS = (
    ("prod_starter", "Starter", "recurring"),
    ("prod_team", "Team", "recurring"),
    ("prod_business", "Business", "recurring"),
    ("prod_enterprise", "Enterprise", "recurring"),
    ("prod_seats", "Additional seats", "recurring"),
    ("prod_api_usage", "API usage", "usage"),
    ("prod_setup", "Guided setup", "setup"),
    ("prod_training", "Team training", "one_off"),
    ("prod_shipping", "Shipping of terminals", "shipping"),
)

# group, status, payout currency, country, is_pilot
_FIXED = (
    ("default", "active", "USD", "US", False),
    ("agency", "active", "USD", "US", False),
    ("affiliate", "active", "EUR", "DE", False),
    ("default", "active", "EUR", "FR", False),
    ("default", "paused", "USD", "US", False),
    ("affiliate", "terminated", "USD", "US", False),
    ("agency", "active", "JPY", "JP", False),
    ("default", "active", "USD", "US", True),
)
_TYPES = {"default": "reseller", "agency": "agency", "affiliate": "creator"}


@dataclass(frozen=True)
class Partner:
    """One partner; `promotion_code` is empty when it has none."""

    number: int
    partner_id: str
    name: str
    contact_name: str
    email: str
    domain: str
    country: str
    group: str
    status: str
    payout_currency: str
    joined: date
    is_pilot: bool
    referred_by: str
    link_code: str
    promotion_code: str


def make_partners(sizes: Sizes) -> list[Partner]:
    """All partners in the order of their number; the same seed gives the same partners."""
    random = Random(f"{sizes.seed}:partners")
    return [_make_partner(number, sizes, random) for number in range(1, sizes.partners + 1)]


def _make_partner(number: int, sizes: Sizes, random: Random) -> Partner:
    """One partner. Every branch draws the same number of times, so partners stay independent."""
    stem = PARTNER_STEMS[(number - 1) % len(PARTNER_STEMS)]
    era = (number - 1) // len(PARTNER_STEMS)
    slug = stem.lower() + (str(era + 1) if era else "")
    suffix = PARTNER_SUFFIXES[random.randrange(len(PARTNER_SUFFIXES))]
    first, last = random.choice(FIRST_NAMES), random.choice(SURNAMES)
    group = random.choice(("default",) * 5 + ("agency",) * 3 + ("affiliate",) * 4)
    status = random.choice(("active",) * 17 + ("paused", "terminated", "applied"))
    currency, country = random.choice(
        (("USD", "US"),) * 6 + (("EUR", "DE"), ("EUR", "FR"), ("EUR", "NL"), ("JPY", "JP"))
    )
    is_pilot = random.randrange(20) == 0
    joined_days, promo_draw, referrer_draw = (
        random.randrange(900),
        random.randrange(10),
        random.randrange(8),
    )
    if number <= len(_FIXED):
        group, status, currency, country, is_pilot = _FIXED[number - 1]
        promo_draw, referrer_draw = 0, 1
    joined = sizes.start - timedelta(days=30 + joined_days)
    if number > len(_FIXED) and number % 6 == 0:
        joined = sizes.start + timedelta(days=joined_days % (sizes.days // 2))
    return Partner(
        number=number,
        partner_id=f"p_{number}",
        name=f"{stem} {suffix}" + (f" {era + 1}" if era else ""),
        contact_name=f"{first} {last}",
        email=f"{first}.{last}@{slug}-partners.example".lower(),
        domain=f"{slug}-partners.example",
        country=country,
        group=group,
        status=status,
        payout_currency=currency,
        joined=joined,
        is_pilot=is_pilot,
        referred_by=f"p_{1 + number % 7}" if referrer_draw == 0 and number > 8 else "",
        link_code=slug,
        promotion_code=f"{slug.upper()}20" if promo_draw < 6 and status != "applied" else "",
    )


def partner_rows(partners: list[Partner]) -> list[tuple[str | None, ...]]:
    """Rows of `partners`: contact names are personal, legal names are the company's."""
    return [
        (
            partner.partner_id,
            partner.name,
            partner.email,
            f"{partner.name} Ltd",
            partner.domain,
            partner.country,
            _TYPES[partner.group],
            partner.group,
            partner.status,
            "partnerships@acme.example",
            partner.payout_currency,
            f"{partner.joined.isoformat()}T09:00:00Z",
            "true" if partner.is_pilot else "false",
            partner.referred_by or None,
        )
        for partner in partners
    ]


def code_rows(partners: list[Partner], sizes: Sizes) -> list[tuple[str | None, ...]]:
    """Rows of `partner_codes`: a link without end for all, promotion codes with validity.

    Every sixth promotion code ends in the middle of the span; every fifth has no bounds.
    """
    rows: list[tuple[str | None, ...]] = []
    half_way = (sizes.start + timedelta(days=sizes.days // 2)).isoformat()
    for partner in partners:
        if partner.status == "applied":
            continue
        joined = partner.joined.isoformat()
        rows.append((partner.link_code, partner.partner_id, "referral_link", joined, None))
        if partner.promotion_code:
            starts = None if partner.number % 5 == 0 else joined
            ends = half_way if partner.number > len(_FIXED) and partner.number % 6 == 0 else None
            rows.append(
                (
                    partner.promotion_code,
                    partner.partner_id,
                    "promotion_code",
                    starts,
                    ends,
                )
            )
    return rows


def core_rows(partners: list[Partner]) -> list[tuple[object, ...]]:
    """Rows of the helper table `partner_core`; `rank` numbers those with codes from 0."""
    with_codes = [partner for partner in partners if partner.status != "applied"]
    return [
        (
            rank,
            partner.number,
            partner.partner_id,
            partner.link_code,
            partner.promotion_code or None,
            partner.contact_name,
            partner.email,
            partner.domain,
            partner.is_pilot,
            partner.joined,
        )
        for rank, partner in enumerate(with_codes)
    ]
