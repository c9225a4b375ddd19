"""Facts by hand, and a programme in which notices are on."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

from dashboards.notices.facts import Decided, Published
from orchestration.cli_common import REPOSITORY
from program.load import Workspace, load_workspace
from program.schema import Notices

NOW = datetime(2026, 3, 2, 8, 0)
TODAY = date(2026, 3, 2)
# A Sunday: the week of monday's statement is over.
AS_OF = date(2026, 3, 1)
BEFORE = date(2026, 2, 22)


def programme(root: Path | None = None, **notices) -> Workspace:
    """The sample's terms with notices on. root: folder in which mail/ may lie."""
    workspace = load_workspace(REPOSITORY / "program")
    chosen = Notices(**{"enabled": True, **notices})
    terms = workspace.program.model_copy(update={"notices": chosen})
    return replace(workspace, program=terms, root=root or workspace.root)


def published(**rows) -> Published:
    """A night with two partners and one lead each; rows: what is new in it."""
    facts = {
        "run_id": "2026-03-01-0007",
        "as_of": AS_OF,
        "published_at": datetime(2026, 3, 2, 7, 0),
        "segment": 7,
        "partners": {"p_1": "Ann Partners", "p_2": "Bob & Sons"},
        "audience": {
            "lead_1": [("p_1", "k***@kind.example")],
            "lead_2": [("p_2", "o***@other.example")],
            "lead_3": [("p_1", "z***@third.example")],
        },
        "lead_stages": [],
        "update_requests": [],
        "held": [],
        "taken_back": [],
        "statement_sums": [],
    }
    return Published(**{**facts, **rows})


def decided(**rows) -> Decided:
    """Two partners with an address each."""
    facts = {"addresses": {"p_1": ["ann@partner.example"], "p_2": ["bob@partner.example"]}}
    return Decided(**{**facts, **rows})


def stage(lead_id="lead_1", name="demo_held", at=datetime(2026, 3, 1, 15)) -> dict:
    return {"lead_id": lead_id, "stage": name, "reached_at": at}


def entry(entry_id="e1", partner_id="p_1", amount_minor=500, code="USD", **values) -> dict:
    facts = {
        "entry_id": entry_id,
        "partner_id": partner_id,
        "reason": "refund",
        "amount_minor": amount_minor,
        "currency_code": code,
        "effective_date": date(2026, 2, 27),
        "customer": "k***@kind.example",
    }
    return {**facts, **values}


def payout(payout_id="pay1", partner_id="p_1", state="exported", **values) -> dict:
    facts = {
        "payout_id": payout_id,
        "partner_id": partner_id,
        "currency_code": "USD",
        "amount_minor": 12_345,
        "state": state,
        "pay_date": date(2026, 3, 16),
        "settled_date": None,
    }
    return {**facts, **values}


def sums(partner_id="p_1", code="USD", opening=1_000, earned=500, **values) -> dict:
    parts = {"released": 0, "taken_back": 0, "paid": 0, "other": 0, **values}
    closing = (
        opening + earned + parts["released"] - parts["taken_back"] - parts["paid"] + parts["other"]
    )
    return {
        "partner_id": partner_id,
        "currency_code": code,
        "opening_minor": opening,
        "earned_minor": earned,
        **{f"{name}_minor": amount for name, amount in parts.items()},
        "closing_minor": closing,
    }
