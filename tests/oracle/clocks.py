"""How long a customer's lines earn: the clock of `duration`, and what a gap does to it (C3, C4).

Belongs here: anchors, gaps in service, the share of a line's service days that lie in the window.
Does not belong here: whose line it is, what it earns.
"""

from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from .billing import Billing, Invoice, Line
from .money import add_months
from .plan_terms import Component


@dataclass(frozen=True)
class Clock:
    """A start of service: the anchor of the months, and the invoice that began it."""

    start_date: date
    invoice_id: str


class Clocks:
    """The clocks of every customer, by the facts of one night."""

    def __init__(self, billing: Billing) -> None:
        self._billing = billing

    def first(self, customer_id: str) -> Clock | None:
        """C3: the clock that the customer's earliest paid line of a positive amount began."""
        line = self._billing.anchor_line(customer_id)
        return Clock(line.start_date, line.invoice_id) if line else None

    def later(self, customer_id: str, gap_days: int) -> list[Clock]:
        """C4: a clock for each start of service at least `gap_days` after the latest end so far.

        Decision 0039: the first clock's anchor is that of C3, so no line that starts on its day or
        before it begins one; its service fills gaps all the same.
        """
        first = self.first(customer_id)
        service = sorted(
            (line.start_date, line.line_id, max(line.end_date or line.start_date, line.start_date))
            + (line.invoice_id,)
            for invoice in self._billing.invoices_of(customer_id)
            if invoice.first_payment
            for line in invoice.lines
            if line.amount_minor > 0
        )
        begun: list[Clock] = []
        latest_end: date | None = None
        for start, _, end, invoice_id in service:
            is_gap = latest_end is not None and (start - latest_end).days >= gap_days
            if is_gap and start > first.start_date:
                begun.append(Clock(start, invoice_id))
            latest_end = max(latest_end or end, end)
        return begun

    def share(self, invoice: Invoice, line: Line, component: Component) -> Fraction | str:
        """The share of the line that lies in its clock's window, or the reason why none does."""
        clock = self.first(invoice.customer_id)
        if component.reactivation != "continue":
            after_gaps = [
                later
                for later in self.later(invoice.customer_id, component.gap_days)
                if later.start_date <= line.start_date
            ]
            if after_gaps and component.reactivation == "stop":
                return "stopped_after_gap"
            clock = after_gaps[-1] if after_gaps else clock
        if component.months is None:
            return Fraction(1)  # for life
        share = _share_in_window(line, component, clock) if clock else Fraction(0)
        return share or "outside_duration"


def _share_in_window(line: Line, component: Component, clock: Clock) -> Fraction:
    """C3: 1, 0, or for `service_period` the share of the service days in the window."""
    if component.months == 0:  # the first payment only: the invoice that began the clock
        return Fraction(int(line.invoice_id == clock.invoice_id))
    opens, closes = clock.start_date, add_months(clock.start_date, component.months)
    start, end = line.start_date, line.end_date
    if component.basis == "service_period" and end is not None and end > start:
        inside = (min(end, closes) - max(start, opens)).days
        return Fraction(max(inside, 0), (end - start).days)
    return Fraction(int(opens <= start < closes))
