"""An explanation and its recomputation in words: pure.

What belongs here: the steps from the base to the cents as lines of text, and what a check found.
What does not: computing (`recompute_shapes`), terms (`evidence_terms`), laying out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any

from orchestration.cli_common import counted, money
from orchestration.evidence_terms import percent
from orchestration.lead_timeline import credits_text
from orchestration.recompute import DECIDED, DIFFERS, MATCHES, OLDER, RULED, UNKNOWN, WITHDRAWN

Record = Mapping[str, Any]
Step = tuple[str, str]

_REASONS = {
    OLDER: "posted before explanations could be recomputed",
    WITHDRAWN: "no formula: the facts do not give it any more, and it was taken back to nothing",
    DECIDED: "no formula: people decided the amount",
    RULED: "no formula: it stands as it was posted before a ruling",
    UNKNOWN: "no formula: a newer release wrote the explanation",
}
_FAULTS = {
    "amount": "the parts give another amount",
    "payout_amount": "the rate gives another amount in the payout currency",
    "sum": "the entries of its key add up to something else",
    "payout_sum": "the entries of its key add up to something else in the payout currency",
    "base": "the base is not the amount less the discount",
    "tier_shares": "the shares of the bands are not the whole line",
    "limit": "the limit does not limit what was computed",
    "cap": "the cap does not leave what it says",
    "whole": "the rate of the deal gives another whole",
    "threshold": "the threshold was not reached",
    "entries_hash": "the claimed entries are not those that were approved",
}
_RATES = {
    "first_payment": "for the customer's first payment",
    "condition": "for the customer's country",
    "product": "for the product",
    "rate": "the component's rate",
}


def check_text(check: Record) -> str:
    """One sentence: what recomputing an entry found."""
    if check["result"] == MATCHES:
        return f"recomputed from the stored explanation: {_computed(check)}, matches"
    if check["result"] != DIFFERS:
        total = money(check["sum_amount_minor"], check["currency_code"])
        return f"{_REASONS[check['reason']]}; its key adds up to {total}"
    why = "; ".join(fault_text(fault) for fault in check["faults"])
    if check["amount_minor"] is None:
        return f"recomputed from the stored explanation: differs: {why}"
    recorded = money(check["desired_amount_minor"], check["currency_code"])
    total = money(check["sum_amount_minor"], check["currency_code"])
    return (
        f"recomputed from the stored explanation: {_computed(check)}, differs: recorded is "
        f"{recorded or 'nothing'}, posted {total} ({why})"
    )


def part_text(entry: Record) -> str:
    """Which part of its key an entry posts, where it is not all of it; else empty."""
    check = entry["recomputed"]
    amounts = (entry["amount_minor"], entry["payout_amount_minor"])
    if amounts == (check["sum_amount_minor"], check["sum_payout_amount_minor"]):
        return ""
    own = money(entry["payout_amount_minor"], entry["payout_currency_code"])
    total = money(check["sum_payout_amount_minor"], entry["payout_currency_code"])
    return f"this entry posts {own} of it; with earlier entries of its key that makes {total}"


def fault_text(fault: str) -> str:
    """A fault of a check as people read it."""
    name, _, part = fault.partition(": ")
    return f"the explanation lacks {part}" if name == "incomplete" else _FAULTS.get(name, name)


def summary_text(summary: Record) -> str:
    """One sentence: what recomputing many entries found."""
    parts = [f"{summary['matches']} match", f"{summary['differs']} differ"]
    decided = summary["no_formula"] - summary["older"]
    if decided:
        parts.append(f"{decided} without a formula, of which the sums agree")
    if summary["older"]:
        parts.append(f"{summary['older']} {_REASONS[OLDER]}")
    noun = "entry" if summary["entries"] == 1 else "entries"
    return (
        f"recomputed {summary['entries']} {noun} from the stored explanations: {', '.join(parts)}"
    )


def _computed(check: Record) -> str:
    amount = money(check["amount_minor"], check["currency_code"])
    if check["payout_amount_minor"] is None or (
        check["payout_currency_code"] == check["currency_code"]
    ):
        return amount
    return f"{amount}, {money(check['payout_amount_minor'], check['payout_currency_code'])}"


def steps(explanation: Record, currency_code: str, payout_currency_code: str) -> list[Step]:
    """From the base to the cents: what, and how much.

    explanation: as stored; of an older release, or without a formula, what it says.
    """
    shape = explanation.get("shape")
    of_shape = _STEPS.get(shape)
    found = list(of_shape(explanation, currency_code) if of_shape else ())
    credits = explanation.get("credits")
    if credits:
        split = {row["partner_id"]: row["credit_ppm"] for row in credits}
        found.append(("split by largest remainder", credits_text(split)))
    if explanation.get("decided_by"):
        found.append(("decided by", str(explanation["decided_by"])))
    if explanation.get("stands_under_ruling"):
        found.append(("stands under ruling", str(explanation["stands_under_ruling"])))
    desired = _money(explanation, "desired_amount_minor", currency_code)
    if desired:
        found.append(("rounded once, half away from zero" if of_shape else "comes to", desired))
    if payout_currency_code != currency_code and explanation.get("fx"):
        day = explanation.get("fx_rate_date")
        found.append(
            (f"exchange rate{f' of {day}' if day else ''}", f"× {_shown_ratio(explanation['fx'])}")
        )
        payout = _money(explanation, "desired_payout_amount_minor", payout_currency_code)
        found += [("in the payout currency, rounded once more", payout)] if payout else []
    if explanation.get("hold"):
        found.append(("on hold", str(explanation["hold"])))
    return [(what, value) for what, value in found if value]


def _line(parts: Record, currency: str) -> Iterator[Step]:
    gross = parts.get("gross_amount_minor")
    discount = parts.get("discount_amount_minor")
    if gross is not None and discount:
        yield (
            "amount of the line, discount",
            (f"{money(gross, currency)}, {money(int(discount), currency)}"),
        )
    yield "base", _money(parts, "line_base_amount_minor", currency)
    tier = parts.get("tier")
    if tier and parts.get("rate_from") == "tier":
        yield (
            "tier",
            (
                f"{tier.get('metric')} in {tier.get('period')}, {tier.get('mode')}, position "
                f"{tier.get('position')}"
            ),
        )
        for band in tier.get("bands") or ():
            yield "× rate of the band", f"{percent(band['rate'])} on {band['share']} of the line"
    elif parts.get("rate") is not None:
        why = _RATES.get(parts.get("rate_from") or "rate", "")
        yield "× rate", f"{percent(parts['rate'])}{f', {why}' if why else ''}"
    if not _is_whole(parts.get("days")):
        yield "× service days in the window", str(parts["days"])
    if parts.get("limit"):
        yield f"{parts['limit']} per line", _money(parts, "limit_amount_minor", currency)
    cap = parts.get("cap")
    if cap:
        cut = _money(cap, "cut_amount_minor", currency)
        left = _money(cap, "left_amount_minor", currency)
        yield f"cap {str(cap.get('by')).replace('_', ' ')}", f"{cut} cut, {left} left"
    if not _is_whole(parts.get("paid_share")):
        yield "× share of the invoice paid", str(parts["paid_share"])


def _event(parts: Record, currency: str) -> Iterator[Step]:
    if parts.get("deal_amount_minor") is not None:
        yield "amount of the deal", _money(parts, "deal_amount_minor", currency)
        yield "× rate", percent(parts["rate"])
    else:
        yield "fixed amount", _money(parts, "whole_amount_minor", currency)


def _bonus(parts: Record, currency: str) -> Iterator[Step]:
    yield (
        f"{parts.get('metric')} in {parts.get('period')}",
        (f"{parts.get('reached')} reached, {parts.get('threshold')} needed"),
    )
    yield "fixed amount", _money(parts, "whole_amount_minor", currency)


def _referral(parts: Record, currency: str) -> Iterator[Step]:
    yield (
        f"earned by {parts.get('referred_partner_id')}",
        _money(parts, "referred_amount_minor", currency),
    )
    if parts.get("joined_date"):
        yield "joined on", parts["joined_date"]
    yield "× share", percent(parts["rate"])


def _takeback(parts: Record, currency: str) -> Iterator[Step]:
    yield "earned", _money(parts, "earned_amount_minor", currency)
    yield "paid on the invoice, with tax", _money(parts, "paid_amount_minor", currency)
    yield (
        "went back before, on the invoice and on the line",
        (
            f"{_money(parts, 'invoice_before_minor', currency)}, "
            f"{_money(parts, 'line_before_minor', currency)}"
        ),
    )
    yield "goes back now", _money(parts, "cause_amount_minor", currency)
    if parts.get("line_part_minor"):
        yield "of it on this line", _money(parts, "line_part_minor", currency)


def _churn(parts: Record, currency: str) -> Iterator[Step]:
    yield "earned", _money(parts, "earned_amount_minor", currency)
    days = counted(int(parts["days_of_access"]), "day") if parts.get("days_of_access") else "0 days"
    yield "access lasted", f"{days} of {parts.get('window_days')}, {parts.get('churn_mode')}"
    if parts.get("share") is not None:
        yield "× share of the table", percent(parts["share"])


def _void(parts: Record, currency: str) -> Iterator[Step]:
    yield "earned", _money(parts, "earned_amount_minor", currency)
    yield "taken back before", _money(parts, "taken_amount_minor", currency)


def _share(parts: Record, currency: str) -> Iterator[Step]:
    yield "own share", _money(parts, "own_amount_minor", currency)
    yield "of what was earned", _money(parts, "referred_amount_minor", currency)
    yield (
        "taken of it before, and now",
        (
            f"{_money(parts, 'taken_before_minor', currency)}, "
            f"{_money(parts, 'taken_after_minor', currency)}"
        ),
    )


_STEPS = {
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
    None: _line,
}


def _money(parts: Record, name: str, currency: str) -> str:
    found = parts.get(name)
    return "" if found is None else money(int(found), currency)


def _is_whole(ratio: Any) -> bool:
    """Whether a share leaves things as they are: `365/365`, or none given."""
    above, _, below = str(ratio if ratio is not None else "1").partition("/")
    return above == (below or "1")


def _shown_ratio(text: Any) -> str:
    """A ratio as it is stored, and to ten decimals for reading."""
    above, _, below = str(text).partition("/")
    ratio = Fraction(above) / Fraction(below or 1)
    digits = f"{ratio.numerator * 10**10 // ratio.denominator:011d}"
    return f"{digits[:-10]}.{digits[-10:]} ({text})"
