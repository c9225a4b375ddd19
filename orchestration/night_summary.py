"""What a person wants to know after a night, read from the published snapshot.

What does not belong here: printing (`cli_night`) and computing: marts hold every figure.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from orchestration.cli_common import open_published, query

_TOP_PARTNERS = 10

_QUERIES: dict[str, str] = {
    "snapshot": "select run_id, as_of, programme_name, next_pay_date from marts.mart_metadata",
    "leads": (
        "select verdict, count(*) as leads from marts.fct_leads group by all order by 2 desc, 1"
    ),
    "submissions": (
        "select verdict, count(*) as submissions from marts.fct_lead_submissions "
        "group by all order by 2 desc, 1"
    ),
    "entries": (
        "select entry_kind, payout_currency_code as currency_code, count(*) as entries, "
        "sum(payout_amount_minor)::bigint as amount_minor from marts.fct_commission_entries "
        "group by all order by 2, min(payout_amount_minor < 0), 1"
    ),
    "balances": (
        "select balance.partner_id, partner.name, balance.payout_currency_code as currency_code, "
        "balance.* exclude (partner_id, payout_currency_code) "
        "from marts.fct_partner_balances as balance "
        "left join marts.dim_partners as partner using (partner_id) "
        "order by balance.payout_currency_code, balance.balance_amount_minor desc, 1"
    ),
    "batches": (
        "select batch_id, state, currency_code, rail, cutoff_date, pay_date, items, "
        "total_amount_minor, content_hash from marts.fct_payout_batches "
        "order by cutoff_date, currency_code, batch_id"
    ),
    "items": (
        "select item.batch_id, item.partner_id, partner.name, item.currency_code, "
        "item.amount_minor, item.state from marts.fct_payout_items as item "
        "left join marts.dim_partners as partner using (partner_id) "
        "where item.left_out_reason is null order by 1, item.amount_minor desc, 2"
    ),
    "left_out": (
        "select item.partner_id, partner.name, item.currency_code, item.amount_minor, "
        "item.left_out_reason from marts.fct_payout_items as item "
        "left join marts.dim_partners as partner using (partner_id) "
        "where item.left_out_reason is not null order by 5, 4 desc, 1"
    ),
    "taken_back": (
        "select entry_id from marts.fct_commission_entries where reverses_entry_id is not null "
        "order by abs(payout_amount_minor) desc, 1 limit 1"
    ),
    "exceptions": (
        "select kind, severity, count(*) as exceptions, min(what_to_do) as for_example "
        "from marts.fct_exceptions group by all order by 2, 3 desc, 1"
    ),
}


def summarise(home: Path) -> dict[str, list[dict[str, Any]]]:
    """Rows per topic, the keys of the queries above; `taken_back` is the largest take-back's entry.

    Amounts are whole minor units of the currency beside them.
    Raises: SnapshotMissingError, SnapshotDamagedError.
    """
    with open_published(home) as connection:
        return {topic: query(connection, sql) for topic, sql in _QUERIES.items()}


def top_balances(balances: list[dict[str, Any]], limit: int = _TOP_PARTNERS) -> list[dict]:
    """The largest balances of each currency, together at most about `limit`; order is kept.

    Currencies are never compared with each other (M1): each gets its share of the places.
    """
    currencies = sorted({row["currency_code"] for row in balances})
    places = max(limit // max(len(currencies), 1), 1)
    return [
        row
        for currency in currencies
        for row in [each for each in balances if each["currency_code"] == currency][:places]
    ]
