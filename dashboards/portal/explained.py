"""How a line came to its amount, in plain words: pure.

What belongs here: reading the explanation that was posted with an entry (C8). What is somebody
else's is never said: other partners' credits, what a referred partner earned, what a cap of the
whole programme leaves, who decided.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from dashboards.lead_view import exact_percent, share
from dashboards.templating import money

Parts = Mapping[str, Any]
_RATES = {
    "first_payment": "for the customer's first payment",
    "condition": "for the customer's country",
    "product": "for the product",
}
_HOLDS = {"paid": "the payment", "event": "the event", "month_end": "the end of its month"}
_CAPS = {
    "per_invoice": "per invoice",
    "per_customer": "per customer",
    "per_partner_month": "per month",
    "per_programme_month": "of the whole programme per month",
}
_TRIGGERS = {
    "signup": "the sign-up",
    "demo_booked": "a booked demo",
    "demo_held": "a demo that was held",
    "deal_won": "a won deal",
    "first_payment": "the first payment",
}
_COUNTED = {"customers": "customers", "conversions": "valid leads", "revenue": "revenue"}


def sentences(
    text: str | None, partner_id: str, currency_code: str, payout_currency_code: str
) -> list[str]:
    """The steps from what was paid to the amount; none where nothing can be read.

    text: JSON as marts.fct_commission_entries has it. partner_id: whose share is told, no other.
    """
    try:
        parts = json.loads(text) if text else None
    except ValueError:
        parts = None
    if not isinstance(parts, dict):
        return []
    of_shape = _SHAPES.get(parts.get("shape"), _nothing)
    return [
        *of_shape(parts, currency_code),
        *_credit(parts, partner_id),
        *_decided(parts),
        *_result(parts, currency_code, payout_currency_code),
    ]


def _line(parts: Parts, currency: str) -> Iterator[str]:
    gross, discount = parts.get("gross_amount_minor"), parts.get("discount_amount_minor")
    if gross is not None and discount:
        yield (
            f"The customer was charged {money(gross, currency)}, less a discount of "
            f"{money(discount, currency)}."
        )
    base = parts.get("line_base_amount_minor")
    if base is not None:
        yield f"What counts of it, without tax: {money(base, currency)}."
    tier = parts.get("tier")
    if tier and parts.get("rate_from") == "tier":
        counted = _COUNTED.get(tier.get("metric"), "what is counted")
        place = tier.get("position")
        yield f"The rate follows your {counted} in {tier.get('period')}: position {place}."
        for band in tier.get("bands") or ():
            yield f"{exact_percent(_rate(band['rate']))} on {band['share']} of the line."
    elif parts.get("rate") is not None:
        why = _RATES.get(parts.get("rate_from") or "")
        yield f"Your rate{f' {why}' if why else ''}: {exact_percent(_rate(parts['rate']))}."
    if not _is_whole(parts.get("days")):
        yield f"{_of(parts['days'])} days of service lie in the time that your plan pays for."
    if parts.get("limit"):
        bound = "at least" if parts["limit"] == "minimum" else "at most"
        yield f"Your plan pays {bound} {_minor(parts, 'limit_amount_minor', currency)} for a line."
    yield from _cap(parts.get("cap"), currency)
    if not _is_whole(parts.get("paid_share")):
        yield f"{_of(parts['paid_share'])} of the invoice has been paid so far; you earn that part."


def _cap(cap: Parts | None, currency: str) -> Iterator[str]:
    if not cap:
        return
    by = str(cap.get("by") or "")
    cut = _minor(cap, "cut_amount_minor", currency)
    yield f"The limit {_CAPS.get(by, '')} of your plan cut {cut}.".replace("  ", " ")


def _event(parts: Parts, currency: str) -> Iterator[str]:
    trigger = _TRIGGERS.get(parts.get("trigger") or "", "the event")
    if parts.get("deal_amount_minor") is not None:
        yield f"The deal was worth {money(parts['deal_amount_minor'], currency)}."
        yield f"Your share of it: {exact_percent(_rate(parts['rate']))}."
    elif parts.get("whole_amount_minor") is not None:
        yield f"Your plan pays {money(parts['whole_amount_minor'], currency)} once for {trigger}."


def _bonus(parts: Parts, currency: str) -> Iterator[str]:
    counted = _COUNTED.get(parts.get("metric") or "", "what is counted")
    if parts.get("metric") != "revenue":
        yield (
            f"{parts.get('period')}: you reached {parts.get('reached')} {counted}, and "
            f"{parts.get('threshold')} were needed."
        )
    yield f"Your plan pays {_minor(parts, 'whole_amount_minor', currency)} for that."


def _referral(parts: Parts, _currency: str) -> Iterator[str]:
    yield "You brought a partner to the programme, and share in what it earns."
    if parts.get("rate") is not None:
        yield f"Your share: {exact_percent(_rate(parts['rate']))}."


def _takeback(parts: Parts, currency: str) -> Iterator[str]:
    yield f"You had earned {_minor(parts, 'earned_amount_minor', currency)} on it."
    paid, cause = parts.get("paid_amount_minor"), parts.get("cause_amount_minor")
    if paid and cause:
        verb = "came back from" if parts.get("shape") == "reinstatement" else "went back to"
        yield (
            f"Of {money(paid, currency)} that the customer paid on the invoice with tax, "
            f"{money(cause, currency)} {verb} the customer."
        )
        yield "The same part of your earning moves with it."


def _churn(parts: Parts, currency: str) -> Iterator[str]:
    yield f"You had earned {_minor(parts, 'earned_amount_minor', currency)} on it."
    yield (
        f"The customer's access ended after {parts.get('days_of_access') or 0} days, within the "
        f"{parts.get('window_days')} days of your plan."
    )
    mode = parts.get("churn_mode")
    if mode == "prorated":
        yield "The part for the missing days is taken back."
    elif parts.get("share") is not None:
        yield f"Your plan takes back {exact_percent(_rate(parts['share']))} then."


def _void(parts: Parts, currency: str) -> Iterator[str]:
    yield f"You had earned {_minor(parts, 'earned_amount_minor', currency)} on it."
    yield "The invoice was voided."


def _share(parts: Parts, currency: str) -> Iterator[str]:
    yield "What the partner whom you brought earns has changed; your share changes with it."
    yield f"Your share of it was {_minor(parts, 'own_amount_minor', currency)}."


def _nothing(_parts: Parts, _currency: str) -> Iterator[str]:
    yield from ()


def _credit(parts: Parts, partner_id: str) -> Iterator[str]:
    for row in parts.get("credits") or ():
        if row.get("partner_id") == partner_id:
            yield f"Your share of this lead: {exact_percent(share(int(row['credit_ppm'])))}."


def _decided(parts: Parts) -> Iterator[str]:
    decided_by = str(parts.get("decided_by") or "")
    if decided_by.startswith("adjustment"):
        yield "People of the programme decided the amount."
    elif decided_by.startswith("ruling") or parts.get("stands_under_ruling"):
        yield "People of the programme decided who brought the customer."
    elif decided_by == "pinned":
        yield "Who brought the customer stays as it was when it was earned first."


def _result(parts: Parts, currency: str, payout_currency: str) -> Iterator[str]:
    desired = parts.get("desired_amount_minor")
    if desired is not None:
        yield f"That makes {money(int(desired), currency)}, rounded once."
    converted = parts.get("desired_payout_amount_minor")
    if currency != payout_currency and converted is not None:
        day = f" at the rates of {parts['fx_rate_date']}" if parts.get("fx_rate_date") else ""
        yield f"Converted{day}: {money(int(converted), payout_currency)}."
    days, _, after = str(parts.get("hold") or "").partition(" days after ")
    if after:
        yield f"It can be paid {days} days after {_HOLDS.get(after, after)}."


def _minor(parts: Parts, name: str, currency: str) -> str:
    found = parts.get(name)
    return "nothing" if found is None else money(int(found), currency)


def _rate(text: Any) -> Decimal:
    return Decimal(str(text))


def _is_whole(ratio: Any) -> bool:
    above, _, below = str(ratio if ratio is not None else "1").partition("/")
    return above == (below or "1")


def _of(ratio: Any) -> str:
    return " of ".join(str(ratio).split("/"))


_SHAPES = {
    "line": _line,
    "event": _event,
    "bonus": _bonus,
    "referral": _referral,
    "takeback": _takeback,
    "reinstatement": _takeback,
    "churn": _churn,
    "void": _void,
    "share_of_takeback": _share,
    "share_of_reinstatement": _share,
}
