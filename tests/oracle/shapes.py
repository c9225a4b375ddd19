"""What a whole line comes to before credits and caps: its rate and its limits (C7).

Belongs here: which shape gives the rate, minimum and maximum. Does not belong here: the volume
behind a tier (tiers.py), caps (caps.py), the paid share (commission.py).
"""

from collections.abc import Mapping
from fractions import Fraction

from .claims import Claim
from .clocks import Clocks
from .facts import Book
from .tiers import RateShares, Volumes


class Shapes:
    """The rate and the exact whole of each claim."""

    def __init__(
        self, book: Book, clocks: Clocks, volumes: Volumes, kept_countries: Mapping[str, str]
    ) -> None:
        self._clocks = clocks
        self._volumes = volumes
        self._kept_countries = kept_countries
        self._countries = {
            row["customer_id"]: row.get("country", "").strip().upper()
            for row in book.rows("customers")
        }

    def rates(self, claim: Claim) -> RateShares | None:
        """C7: the first shape that applies; None for a tier that lacks an exchange rate."""
        component = claim.component
        rate = component.rate
        country = self.country(claim)
        by_country = [rate for countries, rate in component.conditions if country in countries]
        if component.first_payment_rate is not None and self._is_first_payment(claim):
            rate = component.first_payment_rate
        elif by_country:
            rate = by_country[0]
        elif claim.line.product_id in component.product_rates:
            rate = component.product_rates[claim.line.product_id]
        elif component.tiers is not None:
            return self._volumes.rates_of(claim, component.tiers)
        return ((rate, Fraction(1)),)

    def country(self, claim: Claim) -> str:
        """That of the customer; "a line that was posted keeps its customer's country" (0018).

        "One that was not known counts once it is."
        """
        today = self._countries.get(claim.invoice.customer_id, "")
        return self._kept_countries.get(claim.line.line_id) or today

    def whole(self, claim: Claim) -> Fraction | None:
        """Decision 0038, 1 and 2: base x rate x service days, then minimum and maximum, exactly.

        Minor units of the line's currency; None without a rate.
        """
        rates = self.rates(claim)
        if rates is None:
            return None
        rate = sum((rate * share for rate, share in rates), Fraction(0))
        whole = claim.base_minor * rate * claim.days_share
        if claim.base_minor > 0:
            currency_code = claim.invoice.currency_code
            minimum = claim.component.minimum_minor.get(currency_code)
            maximum = claim.component.maximum_minor.get(currency_code)
            if minimum is not None:
                whole = max(whole, Fraction(minimum))
            if maximum is not None:
                whole = min(whole, Fraction(maximum))
        return whole

    def _is_first_payment(self, claim: Claim) -> bool:
        """Decision 0039: "the customer's first payment ever", whatever gaps came since."""
        first = self._clocks.first(claim.invoice.customer_id)
        return first is not None and first.invoice_id == claim.line.invoice_id
