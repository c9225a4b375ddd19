"""T1, R10, P3: what peers do to the past, over several nights: edited rules, refunds after payout.

Rewardful applies edits of a campaign to existing referrals, impact.com judges an action by the
contract of the day on which it is modified, Odoo commissioned invoices anew years later when a flag
was turned (OCA/commission pull request 552). Dub and PartnerStack take nothing back once it was
paid out, but by hand. Here one partner's three months show the same: January is earned and paid
out, February brings a lower rate and the refund of the paid sale, March is netted.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest

from orchestration.night import Night
from orchestration.warehouse import open_working_file
from payouts.approvals import approve
from payouts.errors import TermsChangedError
from payouts.export import export_batch
from payouts.terms import approval_rules, payout_rules
from tests.compiled import build_facts
from tests.sql.vendor_facts import facts_of
from tests.workspaces import NOW, post_night, write_drop, write_workspace

pytestmark = pytest.mark.sql

PROGRAM = """\
program: {{id: t, name: T, legal_entity: T Inc, timezone: UTC, reporting_currency: USD}}
lead: [{{effective_from: 2025-01-01, valid_when: demo_booked}}]
attribution: [{{effective_from: 2025-01-01, model: last_touch}}]
plans:
  - id: standard
    versions:
      - effective_from: 2025-01-01
        components: [{{id: recurring, kind: recurring, rate: {rate}}}]
        hold: {{days: 0, after: paid}}
{more}groups: {{default: standard}}
payouts: {{rails: {{default: csv}}, gates: []}}
roles: {{partnerships: [pat@t.example], finance: [fin@t.example], analyst: [], admin: []}}
"""
LOWER = """\
      - effective_from: 2026-02-01
        components: [{id: recurring, kind: recurring, rate: 0.10}]
        hold: {days: 0, after: paid}
"""
# Ann's customer a pays 100.00 in January, which is refunded on 5 February, and 100.00 in March.
# Customer b becomes valid by paying 500.00 in March, under the lower rate.
EXAMPLE = {
    "customers": {"a": {}, "b": {}},
    "invoices": [
        {"id": "i1", "customer": "a", "paid": date(2026, 1, 12), "lines": {"january": 10000}},
        {"id": "i2", "customer": "a", "paid": date(2026, 3, 11), "lines": {"again": 10000}},
        {"id": "i3", "customer": "b", "paid": date(2026, 3, 12), "lines": {"new": 50000}},
    ],
    "refunds": {"r1": {"invoice": "i1", "amount": 10000, "at": date(2026, 2, 5)}},
}
ENTRIES = (
    "SELECT entry_kind, replace(source_id, 'ann_', ''), payout_amount_minor, plan_version "
    "FROM raw.journal__entries WHERE entry_kind <> 'payout' ORDER BY recorded_at, effective_date"
)
# As the night found it: what it pays itself is in the next one.
BALANCE = (
    "SELECT CAST(sum(payout_amount_minor) AS bigint), "
    "CAST(coalesce(sum(payout_amount_minor) FILTER (entry_kind = 'payout'), 0) AS bigint) "
    "FROM raw.journal__entries"
)


@dataclass(frozen=True)
class Month:
    """What stands after one month's night: batches that it paid, entries, balance."""

    paid_minor: list[int]
    entries: list[tuple]
    balance: tuple[int, int]


def _night_that_pays(workspace: Path, home: Path, as_of: date) -> list[int]:
    """Post a night; propose, approve and export what is due. Returns the totals paid."""
    night = Night.open(workspace, home, as_of, clock=lambda: NOW)
    try:
        night.ingest()
        night.prepare()
        build_facts(home)
        night.post()
        night.require_built("ledger", night.build("ledger"))
        rules = approval_rules(night.workspace)
        batches = list(night.propose())
        with open_working_file(home) as warehouse:
            for batch in batches:
                for role, person in (("partnerships", "pat"), ("finance", "fin")):
                    approve(
                        night.store,
                        home,
                        batch.batch_id,
                        approved_hash=batch.content_hash,
                        actor=f"{person}@t.example",
                        role=role,
                        rules=rules,
                        recorded_at=NOW,
                    )
                export_batch(
                    night.store,
                    home,
                    batch.batch_id,
                    warehouse=warehouse,
                    as_of=as_of,
                    rules=payout_rules(night.workspace),
                    approval_rules=rules,
                    exported_at=NOW,
                )
        return [batch.total_amount_minor for batch in batches]
    finally:
        night.close()


@pytest.fixture(scope="module")
def months(tmp_path_factory) -> dict[str, Month | str]:
    """January, the refused edit, February and March."""
    root = tmp_path_factory.mktemp("histories")
    workspace = write_workspace(root / "workspace", PROGRAM.format(rate="0.20", more=""))
    write_drop(workspace / "drop", facts_of({"ann": EXAMPLE}, ()))
    home = root / "var"
    found: dict[str, Month | str] = {}
    for name, as_of in (
        ("january", date(2026, 1, 31)),
        ("february", date(2026, 2, 28)),
        ("march", date(2026, 3, 31)),
    ):
        paid = _night_that_pays(workspace, home, as_of)
        with open_working_file(home) as connection:
            found[name] = Month(
                paid,
                connection.execute(ENTRIES).fetchall(),
                connection.execute(BALANCE).fetchone(),
            )
        if name == "january":
            write_workspace(workspace, PROGRAM.format(rate="0.10", more=""))
            with pytest.raises(TermsChangedError) as refused:
                post_night(workspace, home, date(2026, 2, 1))
            found["edited"] = str(refused.value)
            write_workspace(workspace, PROGRAM.format(rate="0.20", more=LOWER))
    return found


def test_sale_is_earned_and_paid_out(months) -> None:
    january = months["january"]
    assert january.entries == [("earning", "january", 2000, "2025-01-01")]
    assert january.paid_minor == [2000]


def test_edit_of_used_terms_is_refused_and_nothing_is_posted(months) -> None:
    assert "plan standard version 2025-01-01 was changed" in months["edited"]


def test_refund_after_payout_is_a_negative_balance_that_no_batch_pays(months) -> None:
    """Earned 20.00, paid out 20.00, taken back 20.00 at the rate at which it was earned."""
    february = months["february"]
    assert february.entries[1:] == [("refund", "january", -2000, "2025-01-01")]
    assert february.balance == (-2000, -2000)
    assert february.paid_minor == []


def test_new_rate_is_for_new_leads_and_what_is_owed_is_netted(months) -> None:
    """a stays at 20 %: 20.00. b has 10 %: 50.00. 70.00 less the 20.00 that are owed: 50.00."""
    march = months["march"]
    assert march.entries[2:] == [
        ("earning", "again", 2000, "2025-01-01"),
        ("earning", "new", 5000, "2026-02-01"),
    ]
    assert march.balance == (5000, -2000)
    assert march.paid_minor == [5000]
