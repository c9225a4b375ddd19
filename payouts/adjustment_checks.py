"""What an adjustment may be: its amount, its currency, the entry that it corrects.

What belongs here: checks of a proposal against the partner and the journal. What does not: who may
propose it (``adjustments``).
"""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from payouts import segments
from payouts.errors import DecisionRefusedError
from payouts.parquet import memory_connection, parquet_scan, quoted
from payouts.texts import identifier

# Far above any payout, and low enough for sums over thousands of entries to stay within 64 bits:
# what was posted can never be removed, and a sum that does not fit would stop every later night.
LARGEST_AMOUNT_MINOR = 10**15


def adjustment_minor(amount: Decimal, currency_code: str) -> int:
    """An amount that a person typed, in minor units of its currency.

    amount: major units; with a minus it is taken from the partner.
    Raises: DecisionRefusedError beyond the limit; CurrencyError of the programme's room for another
    currency or too many decimals.
    """
    from program.currencies import to_major, to_minor

    if abs(amount) > to_major(LARGEST_AMOUNT_MINOR, currency_code):
        raise _too_large(currency_code)
    return to_minor(amount, currency_code)


def check_amount(amount_minor: int, currency_code: str) -> None:
    """Refuse zero, fractions of a minor unit and what the ledger cannot add up.

    Raises: DecisionRefusedError.
    """
    if isinstance(amount_minor, bool) or not isinstance(amount_minor, int):
        raise DecisionRefusedError(
            "the amount is not a whole number of minor units; nothing was recorded"
        )
    if amount_minor == 0:
        raise DecisionRefusedError(
            "an adjustment of zero changes nothing; name an amount, with a minus to take it from "
            "the partner. Nothing was recorded"
        )
    if abs(amount_minor) > LARGEST_AMOUNT_MINOR:
        raise _too_large(currency_code)


def checked_currency(partner_id: str, currency_code: str, payout_code: str | None) -> str:
    """The currency of an adjustment, which is the one that the partner is paid in.

    payout_code: None when there is no such partner. Raises: DecisionRefusedError.
    """
    if not payout_code:
        raise DecisionRefusedError(
            f"there is no partner {partner_id!r} with a payout currency; look up the id. Nothing "
            "was recorded"
        )
    code = identifier(currency_code, "the currency").upper()
    if code != payout_code:
        raise DecisionRefusedError(
            f"partner {partner_id} is paid in {payout_code}, so that an adjustment in {code} is "
            f"not possible; give the amount in {payout_code}. Nothing was recorded"
        )
    return code


def _too_large(currency_code: str) -> DecisionRefusedError:
    from program.currencies import to_major

    limit = to_major(LARGEST_AMOUNT_MINOR, currency_code)
    return DecisionRefusedError(
        f"the amount is larger than {limit:,} {currency_code}, the most that an adjustment may be, "
        "for the partner or, with a minus, from the partner: the ledger must be able to add it up. "
        "Correct it. Nothing was recorded"
    )


def add_corrected(connection: Connection, home: Path, values: dict[str, Any]) -> None:
    """Hold a proposal against the entry that it corrects, and take over what follows from it.

    values: the columns of the proposal; its lead and its first day for paying may be set here.
    Raises: DecisionRefusedError; ChainBrokenError when a registered journal file is missing.
    """
    entry_id = values["corrects_entry_id"]
    if entry_id is None:
        return
    paths = segments.existing_paths(home, segments.records(connection))
    found = None
    if paths:
        reader = memory_connection()
        try:
            found = reader.execute(
                "select partner_id, lead_id, available_date::varchar "
                f"from {parquet_scan(paths)} where entry_id = {quoted(entry_id)}"
            ).fetchone()
        finally:
            reader.close()
    if found is None:
        raise DecisionRefusedError(
            f"the journal has no entry {entry_id!r} to correct; `partnerledger balance "
            f"{values['partner_id']}` shows the partner's. Nothing was recorded"
        )
    partner_id, lead_id, available_date = found
    if partner_id != values["partner_id"]:
        raise DecisionRefusedError(
            f"entry {entry_id} is one of partner {partner_id}, not of {values['partner_id']}; "
            "correct the id. Nothing was recorded"
        )
    values["lead_id"] = values["lead_id"] or lead_id
    if values["amount_minor"] < 0:
        values["available_date"] = max(values["available_date"] or "", available_date)
