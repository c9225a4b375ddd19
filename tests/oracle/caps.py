"""Caps clamp whole lines in event order (C6, decision 0038).

Belongs here: what each cap has used, what it leaves of a line, what was cut by which.
Does not belong here: what the line comes to before (shapes.py), the paid share (commission.py).
"""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from .claims import Claim
from .facts import Book
from .money import round_half_away, split
from .plan_terms import CAPS
from .tiers import period_label

_WHOLE_LINE_CAPS, _PROGRAMME = CAPS[:3], CAPS[3]


@dataclass
class Cut:
    """What caps did to one line for one partner and component.

    whole_minor: before any cap. left_minor: of the whole after the first three caps, if they cut.
    part_minor and left_part_minor: the partner's part before and after the programme's month, if
    that cut. by_cap: cap -> what it cut; both kinds of cuts may be there.
    """

    claim: Claim
    whole_minor: int
    left_minor: int | None = None
    part_minor: int | None = None
    left_part_minor: int | None = None
    by_cap: dict[str, int] = field(default_factory=dict)

    @property
    def cap(self) -> str:
        """The cap that cut most, of equals the first in their order."""
        return max(CAPS, key=lambda cap: (self.by_cap.get(cap, 0), -CAPS.index(cap)))


@dataclass
class _Used:
    """A scope of a cap: the highest amount named in it so far, and what is used of it."""

    limit_minor: int = 0
    used_minor: int = 0

    def take(self, amount_minor: int, limit_minor: int) -> int:
        """What is left of an amount; a negative one is never cut and lowers what is used."""
        self.limit_minor = max(self.limit_minor, limit_minor)
        left = amount_minor
        if amount_minor > 0:
            left = min(amount_minor, max(self.limit_minor - self.used_minor, 0))
        self.used_minor += left
        return left


def cut_lines(
    book: Book, claims: Iterable[Claim], whole_of: Callable[[Claim], Fraction | None]
) -> Mapping[tuple[str, str, str], Cut]:
    """The lines that are cut, by key of the claim.

    claims: those that pay. whole_of: the exact whole before caps, None if it is not known.
    """
    used: dict[Hashable, _Used] = defaultdict(_Used)
    cuts: dict[tuple[str, str, str], Cut] = {}
    for claim in sorted(claims, key=lambda claim: (claim.order, claim.partner_id)):
        exact = whole_of(claim)
        if exact is None:
            continue
        cut = Cut(claim, round_half_away(exact))
        left = cut.whole_minor
        for cap in _WHOLE_LINE_CAPS:
            after = _clamp(used, cap, claim, _scope(book, cap, claim), left)
            if after < left:
                cut.by_cap[cap] = left - after
                left = cut.left_minor = after
        # Each partner's part, so that a shared line counts once.
        part = split(left, claim.credits).get(claim.partner_id, 0)
        after = _clamp(used, _PROGRAMME, claim, _scope(book, _PROGRAMME, claim), part)
        if after < part:
            cut.by_cap[_PROGRAMME] = part - after
            cut.part_minor, cut.left_part_minor = part, after
        if cut.by_cap:
            cuts[claim.key] = cut
    return cuts


def _clamp(
    used: dict[Hashable, _Used], cap: str, claim: Claim, scope: Hashable, amount_minor: int
) -> int:
    """What a cap leaves; a currency that the line's version does not name is not capped."""
    limit_minor = claim.component.caps[cap].get(claim.invoice.currency_code)
    if limit_minor is None:
        return amount_minor
    return used[scope].take(amount_minor, limit_minor)


def _scope(book: Book, cap: str, claim: Claim) -> Hashable:
    """What a cap counts together: by component and currency, over all versions of the plan."""
    month = period_label(book.zone.local_date(claim.invoice.first_paid_at), "month")
    own = (cap, claim.invoice.currency_code)
    return {
        "per_invoice": (*own, claim.scope, claim.line.invoice_id),
        "per_customer": (*own, claim.scope, claim.invoice.customer_id),
        "per_partner_month": (*own, claim.scope, month),
        "per_programme_month": (*own, claim.scope[1:], month),
    }[cap]
