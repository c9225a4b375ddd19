"""T1, T4: any order of nights, decisions, exports, crashes, bank files and disputes keeps the
invariants of the payouts reference (4.3), and comes to what the naive model says.

Checked after every step: I3–I8, I13, I16–I19; everything that ``verify`` proves every few steps and
at the end.
"""

from __future__ import annotations

from collections import Counter
from copy import deepcopy
from decimal import Decimal
from fractions import Fraction
from functools import cache

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    precondition,
    rule,
    run_state_machine_as_test,
)

from payouts.approvals import reject, revoke
from payouts.errors import BatchStaleError, DecisionRefusedError, ExportRefusedError
from payouts.records import list_batches
from tests.properties.payout_banks import Banks
from tests.properties.payout_brakes import Brakes
from tests.properties.payout_draws import REASON, crashes, people, picks, some
from tests.properties.payout_invariants import Invariants
from tests.properties.payout_model import LIVE, OUT, Batch, Entry, Model
from tests.properties.payout_story import ACCOUNTS, CALENDAR, KEY, Room
from tests.unit.payouts.payout_world import ANA, APPROVALS, BEN, CAT, DAN, entry

# The same stories each time. To search further: more examples and no `derandomize`; to have the
# shortest failing story, `Phase.shrink`, which takes minutes.
settings.register_profile(
    "payout_machine",
    derandomize=True,
    database=None,
    deadline=None,
    max_examples=15,
    stateful_step_count=20,
    phases=(Phase.generate,),
    suppress_health_check=list(HealthCheck),
)
# One partner is paid in both currencies, so that they must not be added up.
EARNERS = (("p_1", "EUR"), ("p_2", "EUR"), ("p_2", "USD"), ("p_3", "USD"))
AMOUNTS = (4_999, 5_000, 12_345, 333_333, 2_600_000)


class PayoutMachine(Brakes, Banks, Invariants):
    """People, nights and banks in any order; ``self.model`` says what must come of it."""

    def __init__(self, is_first=False):
        super().__init__()
        self.steps = 0
        self.bank_files: list[tuple[bytes, list]] = []
        self.disputes: dict[str, tuple[str, str]] = {}
        if is_first:
            self.room, self.model = Room(), Model()
            for partner_id in ACCOUNTS:
                self.model.partners[partner_id].account = 1
            self.posted: list[dict] = []
            self.taken: Counter[str] = Counter()
            self.files: dict[str, dict[str, bytes]] = {}
            self._night(0, [(0, 2), (1, 3), (2, 2), (3, 3)], [])
        else:
            first = _after_a_month()
            self.room = Room(first.room, first.posted)
            self.model, self.posted, self.taken, self.files = deepcopy(
                (first.model, first.posted, first.taken, first.files)
            )

    def teardown(self):
        try:
            self._verified()
        finally:
            self.room.close()

    # Nights ---------------------------------------------------------------------------------

    @rule(
        days=st.integers(1, 4),
        sales=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 4)), max_size=3),
        refunds=st.lists(st.tuples(picks, st.sampled_from([1, 2, 3])), max_size=2),
        is_looked_over=st.booleans(),
    )
    def night(self, days, sales, refunds, is_looked_over):
        """Sales and refunds, of paid and unpaid ones, are posted; batches may go stale."""
        self._night(days, sales, refunds)
        if is_looked_over:
            expected = {
                batch.batch_id
                for batch in self.model.in_state(*LIVE)
                if self.model.is_stale(batch, self.room.as_of, self.room.now)
            }
            assert self.room.stale() == expected
            for batch_id in expected:
                self.model.batches[batch_id].state = "stale"

    def _night(self, days, sales, refunds):
        rows = []
        for earner, amount in sales:
            partner_id, currency = EARNERS[earner]
            number = len(self.posted) + len(rows)
            rows.append(
                entry(
                    f"il_{number}", AMOUNTS[amount], partner_id=partner_id,
                    currency_code=currency, available_date=self.room.as_of,
                    lead_id=f"lead_{number % 5}",
                )
            )  # fmt: skip
        for pick, parts in refunds:
            rows += self._refund(pick, parts)
        self.posted += rows
        self.room.night(days, rows)
        self.model.add(_entry(row, self.sales) for row in rows)
        self.model.visible = set(self.model.entries)

    def _refund(self, pick, parts):
        """A refund of a third, two thirds or all of what is left of a sale (I9)."""
        if not self.sales:
            return []
        sold = some(self.sales, pick)
        left = sold["amount_minor"] - self.taken[sold["source_id"]]
        amount = left * parts // 3
        if not amount:
            return []
        self.taken[sold["source_id"]] += amount
        return [
            entry(
                sold["source_id"], -amount, partner_id=sold["partner_id"], entry_kind="refund",
                currency_code=sold["currency_code"], available_date=self.room.as_of,
                cause_id=f"re_{self.taken[sold['source_id']]}", lead_id=sold["lead_id"],
                reverses_entry_id=sold["entry_id"],
            )
        ]  # fmt: skip

    @property
    def sales(self):
        """What was earned, oldest first."""
        return [row for row in self.posted if row["entry_kind"] == "earning"]

    @rule(sales=st.lists(st.tuples(st.integers(0, 3), st.integers(2, 4)), min_size=1, max_size=3))
    def month(self, sales):
        """Sold, proposed, approved and exported, as far as nothing stands against it."""
        self._night(10, sales, [])
        self._propose(None, Fraction(1), "system:night", None)
        while self.model.in_state("proposed", "partnerships_approved"):
            self._approve_fully(0)
        while self.model.in_state("finance_approved") and not self.model.paused_by:
            self._export(0, None)

    # Batches --------------------------------------------------------------------------------

    @rule(
        named=st.none() | picks,
        share=st.sampled_from([Fraction(1, 2), Fraction(1)]),
        maker=st.sampled_from(["system:night", "system:night", BEN]),
        crash=crashes,
    )
    def propose(self, named, share, maker, crash):
        """The due batches, or those of a named pay date that is over."""
        self._propose(named, share, maker, crash)

    def _propose(self, named, share, maker, crash):
        over = [cutoff for cutoff in CALENDAR if cutoff <= self.room.as_of]
        cutoffs = self.model.due(CALENDAR, self.room.as_of)
        if named is not None:
            cutoffs = [some(over[-3:], named)]
        pay_date = None if named is None else CALENDAR[cutoffs[0]]
        before = set(self.model.batches)
        self.model.share = share
        with self.room.crashing(crash):
            self.room.propose(pay_date, Decimal(str(float(share))), maker)
        # Each pay date is a transaction of its own; a crash leaves those before it.
        done = cutoffs[: self.room.points.count("proposal_after_commit")]
        with self.room.store.read() as connection:
            found = {
                (row.cutoff_date, row.currency_code): row
                for row in list_batches(connection)
                if row.batch_id not in before
            }
        expected = []
        for cutoff in done:
            batches = self.model.proposal(cutoff, CALENDAR[cutoff], self.room.as_of, share)
            self.model.last_cutoff = max(cutoff, self.model.last_cutoff or cutoff)
            for batch in batches:
                row = found[cutoff, batch.currency]
                batch.batch_id, batch.maker = row.batch_id, maker
                self.model.batches[row.batch_id] = batch
            expected += batches
        assert {batch.batch_id for batch in expected} == {row.batch_id for row in found.values()}
        for batch in expected:
            self._as_expected(batch)
        self.model.visible = self._visible()

    def _as_expected(self, batch: Batch):
        content = self.room.content(batch.batch_id)
        assert self.room.claims(batch.batch_id) == batch.claims
        assert {item.partner_id: item.amount_minor for item in content.items} == {
            partner_id: payout.amount for partner_id, payout in batch.payouts.items()
        }
        for item in content.items:
            batch.payouts[item.partner_id].payout_id = item.payout_id

    @precondition(lambda self: self.model.in_state(*LIVE))
    @rule(pick=picks, actor=people, role=st.sampled_from(["partnerships", "finance"]))
    def approve(self, pick, actor, role):
        """Anybody tries; only the right person at the right time may (I8)."""
        batch = some(self.model.in_state(*LIVE), pick)
        if self.model.may_approve(batch, actor, role, APPROVALS.roles):
            self.room.approve(batch.batch_id, actor, role)
            self.model.approve(batch, actor, role, self.room.now)
        else:
            with pytest.raises(DecisionRefusedError):
                self.room.approve(batch.batch_id, actor, role)

    @precondition(lambda self: self.model.in_state("proposed", "partnerships_approved"))
    @rule(pick=picks)
    def approve_fully(self, pick):
        """Whoever may approves, until the batch may be exported."""
        self._approve_fully(pick)

    def _approve_fully(self, pick):
        batch = some(self.model.in_state("proposed", "partnerships_approved"), pick)
        for role, actor in (("partnerships", ANA), ("finance", BEN), ("finance", CAT),
                            ("finance", DAN)):  # fmt: skip
            if self.model.may_approve(batch, actor, role, APPROVALS.roles):
                self.room.approve(batch.batch_id, actor, role)
                self.model.approve(batch, actor, role, self.room.now)
        assert batch.state == "finance_approved"

    @precondition(lambda self: self.model.in_state(*LIVE))
    @rule(pick=picks, actor=people)
    def revoke(self, pick, actor):
        """One takes back an own approval, and the others' are void."""
        batch = some(self.model.in_state(*LIVE), pick)
        said = {"actor": actor, "recorded_at": self.room.now}
        if actor in {name for name, _ in batch.approvals}:
            revoke(self.room.store, batch.batch_id, **said)
            batch.state, batch.approvals = "proposed", []
        else:
            with pytest.raises(DecisionRefusedError):
                revoke(self.room.store, batch.batch_id, **said)

    @precondition(lambda self: len(self.model.in_state(*LIVE)) > 1)
    @rule(pick=picks, actor=st.sampled_from([ANA, BEN, CAT]))
    def reject(self, pick, actor):
        """Its entries are free for the next proposal."""
        batch = some(self.model.in_state(*LIVE), pick)
        reject(
            self.room.store, self.room.home, batch.batch_id, reason=REASON, actor=actor,
            rules=APPROVALS, recorded_at=self.room.now,
        )  # fmt: skip
        batch.state = "rejected"

    @precondition(lambda self: self.model.in_state("finance_approved"))
    @rule(pick=picks, crash=crashes)
    def export(self, pick, crash):
        """An approved batch leaves once, unless payouts are paused or something has changed."""
        self._export(pick, crash)

    def _export(self, pick, crash):
        batch = some(self.model.in_state("finance_approved"), pick)
        if self.model.paused_by:
            with pytest.raises(ExportRefusedError, match="paused"):
                self.room.export(batch.batch_id)
        elif self.model.is_stale(batch, self.room.now.date(), self.room.now):
            with pytest.raises(BatchStaleError):
                self.room.export(batch.batch_id)
            batch.state = "stale"
        else:
            with self.room.crashing(crash):
                assert self.room.export(batch.batch_id).is_new
            if "export_after_commit" in self.room.points:
                self.model.export(batch)
        self.model.visible = self._visible()

    @precondition(lambda self: self.model.batches)
    @rule(pick=picks, is_lost=st.booleans())
    def export_again(self, pick, is_lost):
        """I18: the same bytes, also when the file was lost; nothing else is exported by it."""
        batch = some(list(self.model.batches.values()), pick)
        if batch.state == "finance_approved":
            return
        if batch.state not in OUT or batch.state == "aborted":
            with pytest.raises(DecisionRefusedError):
                self.room.export(batch.batch_id)
            return
        written = self.files[batch.batch_id]
        if is_lost:
            for name in written:
                (self.room.home / name).unlink()
        again = self.room.export(batch.batch_id)
        assert not again.is_new
        assert {name: (self.room.home / name).read_bytes() for name in written} == written


@cache
def _after_a_month() -> PayoutMachine:
    """A story that has begun: two exported batches, one of them with the bank. Each story goes on
    from a copy of it."""
    first = PayoutMachine(is_first=True)
    first._propose(None, Fraction(1), "system:night", None)
    for _ in range(2):
        first._approve_fully(0)
        first._export(0, None)
    first.everything_holds()
    first._confirm(0, DAN)
    first.room.leave()
    return first


def _entry(row: dict, sales: list[dict]) -> Entry:
    lines_of = {sold["entry_id"]: sold["commission_id"] for sold in sales}
    return Entry(
        row["entry_id"], row["commission_id"],
        lines_of.get(row["reverses_entry_id"], row["commission_id"]), row["lead_id"],
        row["partner_id"], row["payout_currency_code"], row["payout_amount_minor"],
        row["available_date"],
    )  # fmt: skip


def test_any_story_keeps_the_invariants_and_comes_to_what_the_model_says(monkeypatch):
    monkeypatch.setenv("PARTNERLEDGER_VAULT_KEY", KEY)
    run_state_machine_as_test(PayoutMachine, settings=settings.get_profile("payout_machine"))
