"""Statements worked out by hand, as the tests of their files share them.

p_1 in February: EUR opens with 200.00, earns 40.00 and a bonus of 100.00, loses 12.50 and gets a
chargeback of 50.00 back, is paid 150.00: 127.50. BHD has three decimals, one line and a debt.
"""

from __future__ import annotations

from datetime import date

from orchestration.known import Known
from orchestration.statements import statement

KNOWN = Known("2026-02-28", date(2026, 2, 28), date(2026, 2, 27), "run_3", 41, 3, "ab" * 32)
PROGRAMME = {"name": "Acme Partners", "legal_entity": "Acme Inc"}
PAY_DAY = date(2026, 3, 16)


def entry(kind, payout_minor, day, state="available", currency="EUR", **changes):
    return {
        "entry_id": f"{abs(payout_minor):08d}-{kind}-{day}", "entry_kind": kind,
        "customer_id": "c_1", "component_id": "recurring", "source_type": "invoice_line",
        "source_id": "il_1", "cause_type": "", "cause_id": "", "amount_minor": payout_minor,
        "currency_code": currency, "payout_amount_minor": payout_minor,
        "payout_currency_code": currency, "effective_date": day, "available_date": day,
        "posting_period": f"{day:%Y-%m}", "segment": 1, "state": state, "hold_reason": None,
        "batch_id": None, "payout_id": None, "pay_date": None, **changes,
    }  # fmt: skip


ENTRIES = [
    entry("earning", 15_000, date(2026, 1, 5), "paid", pay_date=date(2026, 2, 16), batch_id="b-1"),
    entry("earning", 5_000, date(2026, 1, 9)),
    entry("earning", 4_000, date(2026, 2, 3), "on_hold", amount_minor=4_400, currency_code="USD"),
    entry("bonus", 10_000, date(2026, 2, 20), "held", hold_reason="partner_hold"),
    entry("refund", -1_250, date(2026, 2, 4), cause_type="refund", cause_id="re_1"),
    entry("chargeback", -5_000, date(2026, 2, 5), cause_type="dispute", cause_id="dp_1"),
    entry("reinstatement", 5_000, date(2026, 2, 25), cause_type="dispute", cause_id="dp_1"),
    entry("payout", -15_000, date(2026, 2, 16), "paid", source_type="payout", source_id="pay_1"),
    entry("adjustment", 300, date(2026, 3, 1), "on_hold"),
    entry("refund", -1_234_005, date(2026, 2, 9), currency="BHD", cause_type="refund",
          cause_id="re_2"),
]  # fmt: skip
HOSTILE_NAMES = (
    "#let x = 1", "#panic()", "[b] *bold* _it_ `raw`", "$x^2$ <label> @ref", "\\u{41} \\ //x /*",
    'quote " and \\"', "=cmd|'/C calc'!A0", "{{ 7 * 7 }} ${x}", "Ünïcode Ærø ŁÓDŹ Ж Ω",
    "שלום עולם", "مرحبا بالعالم", "A" * 400, "😀 and 👩‍👩‍👧‍👦 and 漢字 and 🇩🇪",
    "right\u202eto left", "zero\u200bwidth\ufeff", "null\0 bell\a", "lone \ud800 half", "\ue000",
    "e\u0301 n\u0303 A\u030a", "line\nbreak\u2028and\u2029more", "\N{NO-BREAK SPACE}",
)  # fmt: skip


def told(entries=ENTRIES, period="2026-02", partner_id="p_1"):
    """The statement of these entries."""
    return statement(partner_id, period, KNOWN, entries, lambda *_: PAY_DAY)


def many(lines: int):
    """A statement of so many lines of 1.00."""
    return told(
        [
            entry("earning", 100, date(2026, 2, 1 + number % 28), source_id=f"il_{number}",
                  entry_id=f"{number:08d}-of-many")
            for number in range(lines)
        ]
    )  # fmt: skip
