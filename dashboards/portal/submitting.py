"""What a partner sends: amounts and limits of its forms.

What does not belong here: what may be recorded (`payouts`), which refuses what is left.
"""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from program.currencies import is_currency, to_minor

from dashboards.errors import BadInputError, RefusedError
from dashboards.limits import limits_of

if TYPE_CHECKING:
    from dashboards.visit import Visit

_AMOUNT = re.compile(r"[0-9]{1,13}(\.[0-9]{1,3})?")
# Far more than people send; a script that has the session is stopped.
_MOST_PER_HOUR = 120


def expected_amount(amount: str, currency_code: str) -> tuple[int | None, str | None]:
    """An amount in minor units with its currency, both or neither. Raises: BadInputError."""
    code = currency_code.strip().upper()
    text = amount.replace(" ", "").replace("\N{NARROW NO-BREAK SPACE}", "")
    if not text and not code:
        return None, None
    if not text:
        # The currency is chosen from a list; without an amount it says nothing.
        return None, None
    if not _AMOUNT.fullmatch(text):
        raise BadInputError("the expected amount: write it like 1200.00")
    if not is_currency(code):
        raise BadInputError("the expected amount needs its currency, three letters such as EUR")
    return to_minor(Decimal(text), code), code


def take_turn(visit: Visit) -> None:
    """Count one form of the partner. Raises: RefusedError when there are too many in an hour."""
    if not limits_of(visit.request).take(
        "portal", visit.partner_id, visit.now, most=_MOST_PER_HOUR, within=timedelta(hours=1)
    ):
        raise RefusedError(
            "too many forms were sent in the last hour; nothing was recorded",
            "Wait a while, then send it again.",
        )
