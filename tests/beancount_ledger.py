"""The double-entry lines in the text form of Beancount, for its own checker (T5).

What belongs here: writing the file and running `bean-check`, a program of its own that nothing of
the product imports. What does not: expected amounts; each test states its own.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from program.currencies import format_minor

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

CHECKER = Path(sys.executable).with_name("bean-check")
NAMES = {
    "expense:commission": "Expenses:Commission",
    "payable:partner": "Liabilities:Payable",
    "in_transit:partner": "Assets:InTransit",
    "cash:rail": "Assets:Cash",
    "writeoff": "Expenses:WriteOff",
    "withholding:tax": "Liabilities:Withholding",
}
_LINES = """
    select lines.transaction_id, coalesce(entries.effective_date, items.settled_date) as day,
        lines.account, lines.signed_amount_minor, lines.currency_code
    from marts.fct_journal_lines as lines
    left join marts.fct_commission_entries as entries on entries.entry_id = lines.transaction_id
    left join marts.fct_payout_items as items
        on split_part(lines.transaction_id, ':', 1) = items.payout_id
    order by day, lines.transaction_id, lines.side desc
"""


def ledger_text(
    connection: DuckDBPyConnection, closing: Mapping[tuple[str, str], int] | None = None
) -> str:
    """The ledger of the marts. closing: account and currency → minor units after the last day.

    Debits are positive, as in ``signed_amount_minor``.
    """
    rows = connection.execute(_LINES).fetchall()
    days = [row[1] for row in rows] or [date(2000, 1, 1)]
    lines = [f"{min(days)} open {name}" for name in NAMES.values()]
    opened = None
    for transaction_id, day, account, amount_minor, currency in rows:
        if transaction_id != opened:
            lines.append(f'{day} * "{re.sub("[^0-9a-z:-]", "", transaction_id)}"')
            opened = transaction_id
        lines.append(f"  {NAMES[account]}  {format_minor(amount_minor, currency)} {currency}")
    after = max(days) + timedelta(days=1)
    for (account, currency), amount_minor in (closing or {}).items():
        lines.append(
            f"{after} balance {NAMES[account]}  {format_minor(amount_minor, currency)} {currency}"
        )
    return "\n".join(lines) + "\n"


def faults(text: str, folder: Path) -> str:
    """What `bean-check` says against a ledger; empty when it is in order."""
    path = folder / "ledger.beancount"
    path.write_text(text, encoding="utf-8")
    done = subprocess.run(
        [str(CHECKER), str(path)], capture_output=True, text=True, check=False, timeout=120
    )
    return "" if done.returncode == 0 else done.stdout + done.stderr or "failed without a word"
