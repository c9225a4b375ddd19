"""The chain behind an amount, read offline from the published snapshot (B1).

From any id to what it rests on: payout → entries → line → source record, lead, touches, terms.
Everything is found in marts, and every entry is recomputed from its explanation. What does not
belong here: what the home knows beside the snapshot (`evidence_home`), printing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from orchestration.cli_common import CommandError, query
from orchestration.evidence_checks import checked_entries, summary
from orchestration.lead_records import lead_evidence, lead_evidence_or_none, lead_row

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

Record = dict[str, Any]

# What `explain` can be told to look for → the type that its record names.
TYPES = {
    "entry": "entry",
    "commission": "commission",
    "lead": "lead",
    "line": "invoice_line",
    "invoice": "invoice",
    "payout": "payout",
    "batch": "batch",
    "balance": "balance",
}
_OF_LEAD = (
    "entry.lead_id = $1 or entry.commission_id in "
    "(select commission_id from marts.fct_commission_lines where lead_id = $1)"
)


def explain(connection: DuckDBPyConnection, reference: str, type_word: str | None = None) -> Record:
    """The chain behind an entry, commission, invoice line, invoice, payout, batch, lead or balance.

    type_word: one of `TYPES` to look for nothing else. Returns a record with `reference`,
    `reference_type` and, but for a batch, `recomputation` (as `evidence_checks.summary`); the
    other keys depend on the type. Amounts are whole minor units of the currency beside them.
    Raises: CommandError when nothing in the snapshot has this id.
    """
    if type_word == "lead":
        return _named(reference, "lead", _lead(connection, lead_evidence(connection, reference)))
    if type_word == "balance":
        return _named(reference, "balance", _checked_balance(connection, reference))
    for name, finder in _FINDERS.items():
        if type_word is not None and name != TYPES[type_word]:
            continue
        found = finder(connection, reference)
        if found is not None:
            return _named(reference, name, found)
    raise CommandError(
        f"nothing in the published snapshot has the id {reference!r}"
        if type_word is None
        else f"the published snapshot has no {type_word} {reference!r}",
        "Give an entry, commission, lead, customer, invoice line, invoice, payout, batch or "
        "partner id.",
    )


def _named(reference: str, reference_type: str, found: Record) -> Record:
    return {"reference": reference, "reference_type": reference_type, **found}


def balance(connection: DuckDBPyConnection, partner_id: str) -> Record:
    """One partner's balances per currency with every entry behind them.

    Raises: CommandError for an unknown partner.
    """
    return {
        **require_partner_row(connection, partner_id),
        "balances": query(
            connection,
            "select * exclude (partner_id) from marts.fct_partner_balances "
            "where partner_id = ? order by payout_currency_code",
            [partner_id],
        ),
        "entries": query(
            connection,
            "select entry.entry_id, entry.effective_date, entry.available_date, "
            "entry.entry_kind, entry.component_id, entry.source_type, entry.source_id, "
            "entry.cause_type, entry.cause_id, entry.payout_amount_minor, "
            "entry.payout_currency_code, hold.hold_reason, claim.batch_id "
            "from marts.fct_commission_entries as entry "
            "left join marts.fct_entry_holds as hold using (entry_id) "
            "left join marts.fct_entry_claims as claim using (entry_id) "
            "where entry.partner_id = ? order by entry.effective_date, entry.entry_id",
            [partner_id],
        ),
    }


def partner_row(connection: DuckDBPyConnection, partner_id: str) -> Record | None:
    """Who a partner is; None when the snapshot does not know it."""
    found = query(
        connection,
        "select partner_id, name, status, payout_currency_code from marts.dim_partners "
        "where partner_id = ?",
        [partner_id],
    )
    return found[0] if found else None


def require_partner_row(connection: DuckDBPyConnection, partner_id: str) -> Record:
    """The same. Raises: CommandError for an unknown partner."""
    found = partner_row(connection, partner_id)
    if found is None:
        raise CommandError(
            f"there is no partner {partner_id!r} in the published snapshot",
            "`partnerledger partner list` shows them.",
        )
    return found


def _checked_balance(connection: DuckDBPyConnection, partner_id: str) -> Record:
    """The balances with each entry recomputed, and held against what they add up to."""
    found = balance(connection, partner_id)
    entries = checked_entries(connection, "entry.partner_id = ?", partner_id)
    recorded = {
        row["payout_currency_code"]: row["balance_amount_minor"] for row in found["balances"]
    }
    checks = {entry["entry_id"]: entry["recomputed"]["result"] for entry in entries}
    for row in found["entries"]:
        row["recomputed"] = checks[row["entry_id"]]
    return {**found, "recomputation": summary(entries, recorded)}


def _balance(connection: DuckDBPyConnection, reference: str) -> Record | None:
    if partner_row(connection, reference) is None:
        return None
    return _checked_balance(connection, reference)


def _lead(connection: DuckDBPyConnection, found: Record) -> Record:
    entries = checked_entries(connection, _OF_LEAD, found["lead"]["lead_id"])
    return {**found, "recomputation": summary(entries)}


def _lead_or_none(connection: DuckDBPyConnection, reference: str) -> Record | None:
    found = lead_evidence_or_none(connection, reference)
    return None if found is None else _lead(connection, found)


def _entry(connection: DuckDBPyConnection, reference: str) -> Record | None:
    entries = checked_entries(connection, "entry.entry_id = ?", reference)
    if not entries:
        return None
    (entry,) = entries
    return {
        "entry": entry,
        "recomputation": summary(entries),
        "reversed_by": checked_entries(connection, "entry.reverses_entry_id = ?", reference),
        "reverses": (
            checked_entries(connection, "entry.entry_id = ?", entry["reverses_entry_id"])
            if entry["reverses_entry_id"]
            else []
        ),
        **_line_chain(connection, entry["commission_id"], entry),
    }


def _commission(connection: DuckDBPyConnection, reference: str) -> Record | None:
    entries = checked_entries(connection, "entry.commission_id = ?", reference)
    lines = _lines(connection, "commission_id = ?", reference)
    if not entries and not lines:
        return None
    return {
        "entries": entries,
        "recomputation": summary(entries),
        **_line_chain(connection, reference, (lines or entries)[0]),
    }


def _invoice_line(connection: DuckDBPyConnection, reference: str) -> Record | None:
    return _earned_on(connection, "source_id = ?", "invoice_line_id = ?", reference)


def _invoice(connection: DuckDBPyConnection, reference: str) -> Record | None:
    return _earned_on(connection, "invoice_id = ?", "invoice_id = ?", reference)


def _earned_on(
    connection: DuckDBPyConnection, earned: str, unpaid: str, reference: str
) -> Record | None:
    lines = _lines(connection, earned, reference)
    unpaid_lines = query(
        connection, f"select * from marts.fct_unpaid_lines where {unpaid} order by 1", [reference]
    )
    if not lines and not unpaid_lines:
        return None
    leads = sorted({row["lead_id"] for row in [*lines, *unpaid_lines] if row["lead_id"]})
    entries = checked_entries(
        connection,
        f"entry.commission_id in (select commission_id from marts.fct_commission_lines "
        f"where {earned.replace('?', '$1')}) or (entry.source_type = 'invoice_line' "
        "and entry.source_id = $1)",
        reference,
    )
    return {
        "lines": lines,
        "entries": entries,
        "recomputation": summary(entries),
        "unpaid_lines": unpaid_lines,
        "lead": lead_row(connection, leads[0]) if leads else None,
        "attributions": _attributions(connection, leads[0]) if leads else [],
        "winners": _winners(connection, leads[0]) if leads else [],
        "terms": _terms(connection, lines[0]) if lines else None,
    }


def _payout(connection: DuckDBPyConnection, reference: str) -> Record | None:
    items = query(
        connection, "select * from marts.fct_payout_items where payout_id = ?", [reference]
    )
    if not items:
        return None
    batches = query(
        connection,
        "select * from marts.fct_payout_batches where batch_id = ?",
        [items[0]["batch_id"]],
    )
    claimed = "entry.entry_id in (select entry_id from marts.fct_entry_claims where payout_id = ?)"
    entries = checked_entries(connection, claimed, reference)
    # Who was left out of a batch claims nothing, and the amount is what it would have been.
    item = items[0]
    recorded = {item["currency_code"]: item["amount_minor"]} if entries else None
    return {
        "payout": item,
        "batch": batches[0] if batches else None,
        "entries": entries,
        "recomputation": summary(entries, recorded),
    }


def _batch(connection: DuckDBPyConnection, reference: str) -> Record | None:
    batches = query(
        connection, "select * from marts.fct_payout_batches where batch_id = ?", [reference]
    )
    if not batches:
        return None
    return {
        "batch": batches[0],
        "payouts": query(
            connection,
            "select item.payout_id, item.partner_id, partner.name, item.amount_minor, "
            "item.currency_code, item.state, count(claim.entry_id) as entries "
            "from marts.fct_payout_items as item "
            "left join marts.dim_partners as partner using (partner_id) "
            "left join marts.fct_entry_claims as claim on claim.payout_id = item.payout_id "
            "where item.batch_id = ? and item.left_out_reason is null group by all order by 2",
            [reference],
        ),
    }


_FINDERS: Mapping[str, Callable[[DuckDBPyConnection, str], Record | None]] = {
    "entry": _entry,
    "commission": _commission,
    "batch": _batch,
    "payout": _payout,
    "invoice_line": _invoice_line,
    "invoice": _invoice,
    "lead": _lead_or_none,
    "balance": _balance,
}


def _line_chain(connection: DuckDBPyConnection, commission_id: str, known: Record) -> Record:
    """What a line rests on. known: a row that names lead, plan and component."""
    lines = _lines(connection, "commission_id = ?", commission_id)
    referred = known["source_id"] if known["source_type"] == "commission" else ""
    return {
        "line": lines[0] if lines else None,
        "shared_line": _lines(connection, "commission_id = ?", referred),
        "terms": _terms(connection, known),
        "lead": lead_row(connection, known["lead_id"]) if known["lead_id"] else None,
        "attributions": _attributions(connection, known["lead_id"]) if known["lead_id"] else [],
        "winners": _winners(connection, known["lead_id"]) if known["lead_id"] else [],
        "claims": query(
            connection,
            "select claim.entry_id, claim.payout_id, claim.batch_id, batch.state, batch.pay_date "
            "from marts.fct_entry_claims as claim "
            "join marts.fct_commission_entries as entry using (entry_id) "
            "left join marts.fct_payout_batches as batch on batch.batch_id = claim.batch_id "
            "where entry.commission_id = ? order by 1",
            [commission_id],
        ),
    }


def _lines(connection: DuckDBPyConnection, condition: str, value: str) -> list[Record]:
    return query(
        connection,
        f"select * from marts.fct_commission_lines where {condition} "
        "order by effective_date, commission_id",
        [value],
    )


def _attributions(connection: DuckDBPyConnection, lead_id: str) -> list[Record]:
    return query(
        connection,
        "select * exclude (lead_id) from marts.fct_attributions where lead_id = ? "
        "order by is_paying desc, model, partner_id",
        [lead_id],
    )


def _winners(connection: DuckDBPyConnection, lead_id: str) -> list[Record]:
    """The touches that decided who brought a lead, with the rule (A4)."""
    return query(
        connection,
        "select partner_id, touchpoint_id, touch_type, occurred_at, rule "
        "from marts.fct_attribution_candidates where lead_id = ? and is_winner "
        "order by occurred_at, touchpoint_id",
        [lead_id],
    )


def _terms(connection: DuckDBPyConnection, known: Record) -> Record | None:
    found = query(
        connection,
        "select * from marts.dim_terms where plan_id = ? and plan_version = ? and component_id = ?",
        [known["plan_id"], known["plan_version"], known["component_id"]],
    )
    return found[0] if found else None
