"""Rules of a story: what banks say of exported payouts, and batches that never reached them."""

from __future__ import annotations

from collections import Counter
from datetime import date

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from payouts.errors import DecisionRefusedError
from tests.properties.payout_draws import crashes, picks, some
from tests.properties.payout_model import OUT, Entry
from tests.unit.payouts.payout_world import ANA, BEN, CAT, DAN

# Which payout, what is said of it, and by how much the amount is wrong.
lines = st.lists(
    st.tuples(
        picks,
        st.sampled_from(["settled", "settled", "failed", "returned", "unclaimed", "sent"]),
        st.sampled_from([0, 0, 0, 0, 1]),
    ),
    min_size=1,
    max_size=4,
)


class Banks(RuleBasedStateMachine):
    """What happens after the export. ``bank_files``: what was read, to be read again."""

    @precondition(lambda self: self.model.in_state("exported"))
    @rule(pick=picks, actor=st.sampled_from([DAN, DAN, BEN]))
    def confirm(self, pick, actor):
        """The bank has the file; Ben, who reads the bank's answers, does not count alone."""
        self._confirm(pick, actor)

    def _confirm(self, pick, actor):
        batch = some(self.model.in_state("exported"), pick)
        self.room.sent(batch.batch_id, actor)
        batch.state, batch.is_confirmed = "sent", actor != BEN
        for payout in batch.payouts.values():
            payout.state = "sent"

    @precondition(lambda self: self.model.in_state(*OUT))
    @rule(said=lines, crash=crashes)
    def settle(self, said, crash):
        """A bank's file: in part, twice, late, or with another amount, which changes nothing."""
        known = [
            (batch, payout)
            for batch in self.model.in_state(*OUT)
            for payout in batch.payouts.values()
        ]
        rows = [(*some(known, pick), outcome, wrong) for pick, outcome, wrong in said]
        content = _bank_file(rows, self.room.now.date(), len(self.bank_files))
        with self.room.crashing(crash):
            self.room.settle(content)
        if "settlement_after_commit" in self.room.points:
            self.bank_files.append((content, rows))
            self._bank_said(rows)
        self.model.visible = self._visible()

    def _bank_said(self, rows):
        back: Counter[str] = Counter()
        for batch, payout, outcome, wrong in rows:
            if wrong:
                continue
            before = payout.state
            if self.model.bank_says(batch, payout, outcome):
                back[payout.payout_id] += payout.amount
            if payout.state != before:
                self.model.after_file(batch)
        self._given_back(back)

    @precondition(lambda self: self.bank_files)
    @rule(pick=picks)
    def settle_same_file(self, pick):
        """The same bytes tell only what could not be applied before and can be now."""
        content, rows = some(self.bank_files, pick)
        before = len(self.room.journal())
        assert not self.room.settle(content).is_new
        self._bank_said(rows)
        again = self.room.settle(content)
        assert (again.outcomes, again.segment) == ({}, None)
        assert len(self.room.journal()) - before <= len(rows)

    @precondition(lambda self: self.model.in_state("exported"))
    @rule(pick=picks, asks=st.sampled_from([ANA, BEN, CAT]))
    def ask_abort(self, pick, asks):
        """One person asks, which changes nothing, and may not agree as well."""
        batch = some(self.model.in_state("exported"), pick)
        self.room.ask_abort(batch.batch_id, asks)
        batch.abort_asked_by = asks
        with pytest.raises(DecisionRefusedError, match="four eyes"):
            self.room.abort(batch.batch_id, asks)

    @precondition(lambda self: self._asked())
    @rule(pick=picks, crash=crashes)
    def abort(self, pick, crash):
        """Another agrees, and every payout goes back."""
        batch = some(self._asked(), pick)
        actor = CAT if batch.abort_asked_by != CAT else BEN
        with self.room.crashing(crash):
            self.room.abort(batch.batch_id, actor)
        if "abort_after_commit" not in self.room.points:
            return
        if any((self.room.home / name).exists() for name in self.files[batch.batch_id]):
            # It died between the decision and the removal, which abort again finishes.
            self.room.abort(batch.batch_id, actor)
        batch.state = "aborted"
        for payout in batch.payouts.values():
            payout.state = "aborted"
        self._given_back(
            Counter({payout.payout_id: payout.amount for payout in batch.payouts.values()})
        )

    def _asked(self):
        return [batch for batch in self.model.in_state("exported") if batch.abort_asked_by]

    def _given_back(self, amounts: Counter[str]):
        """I17: one entry per payout that came back now, of exactly what was exported."""
        posted = [
            row for row in self.room.journal()
            if row[2] == "payout_return" and row[0] not in self.model.entries
        ]  # fmt: skip
        assert sorted((row[7], row[5]) for row in posted) == sorted(amounts.items())
        self.model.add(
            Entry(row[0], row[1], row[1], None, row[3], row[4], row[5], row[6], True)
            for row in posted
        )

    def _visible(self):
        """What the candidates of now list: what was posted when they were last loaded."""
        rows = self.room.world.warehouse.execute(
            "select entry_id from raw.journal__entries where entry_kind <> 'payout'"
        )
        return {row[0] for row in rows.fetchall()}


def _bank_file(rows, day: date, number: int) -> bytes:
    """A status file; ``number`` makes each a file of its own."""
    header = "payout_id,status,amount_minor,currency_code,value_date,reason_code,reference"
    told = [
        f"{payout.payout_id},{outcome},{payout.amount + wrong},{batch.currency},{day},,F{number}"
        for batch, payout, outcome, wrong in rows
    ]
    return "\n".join([header, *told, ""]).encode()
