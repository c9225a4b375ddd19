"""Rules of a story: holds, disputes, the pause, and changed accounts."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from payouts.dispute_owners import Governing
from payouts.disputes import decide_dispute, open_dispute, review_dispute
from payouts.errors import DecisionRefusedError
from payouts.holds import open_hold, release_hold
from payouts.pausing import pause, resume
from tests.properties.payout_draws import REASON, people, picks, some
from tests.properties.payout_story import ACCOUNTS, PARTNERS, STORY_RULES
from tests.unit.payouts.payout_world import ANA, APPROVALS, BEN, CAT, DAN


class Brakes(RuleBasedStateMachine):
    """What keeps money from leaving. ``disputes``: id → subject and the hold that it opened."""

    @precondition(lambda self: not self._by_hand())
    @rule(pick=picks, kind=st.sampled_from(["line", "lead", "partner"]))
    def hold(self, pick, kind):
        """A hold on a sale, its lead or its partner; batches that would pay it go stale."""
        sold = some(self.sales, pick)
        subject = kind, sold[{"line": "commission_id"}.get(kind, f"{kind}_id")]
        if subject in self.model.holds.values():
            return
        opened, _ = open_hold(
            self.room.store, self.room.home, subject_type=subject[0], subject_id=subject[1],
            reason=REASON, actor=ANA, rules=APPROVALS, recorded_at=self.room.now,
        )  # fmt: skip
        self.model.hold(opened.hold_id, subject)

    @precondition(lambda self: self._by_hand())
    @rule(pick=picks)
    def release(self, pick):
        """What was held is payable again."""
        hold_id = some(self._by_hand(), pick)
        release_hold(
            self.room.store, hold_id, reason=REASON, actor=CAT, rules=APPROVALS,
            recorded_at=self.room.now,
        )  # fmt: skip
        del self.model.holds[hold_id]

    @precondition(lambda self: not self.disputes)
    @rule(pick=picks)
    def dispute(self, pick):
        """A partner disputes a line: it is held as long."""
        sold = some(self.sales, pick)
        subject = "line", sold["commission_id"]
        if subject in [disputed for disputed, _ in self.disputes.values()]:
            return
        opened, _ = open_dispute(
            self.room.store, self.room.home, subject_type="line", subject_id=subject[1],
            partner_id=sold["partner_id"], happened_on=None, text="it was more",
            evidence='{"line": "seen"}', opened_by_role="partner", actor=ANA, rules=APPROVALS,
            payout_rules=STORY_RULES, timezone="UTC", recorded_at=self.room.now,
        )  # fmt: skip
        review_dispute(
            self.room.store, dispute_id=opened.dispute_id, reason="looked up", actor=BEN,
            rules=APPROVALS, recorded_at=self.room.now,
        )  # fmt: skip
        self.disputes[opened.dispute_id] = subject, opened.hold_id
        self.model.hold(opened.hold_id, subject)

    @precondition(lambda self: self.disputes)
    @rule(pick=picks, actor=people)
    def decide(self, pick, actor):
        """Somebody else with a role rejects it, and its hold ends."""
        dispute_id = some(sorted(self.disputes), pick)
        arguments = {
            "dispute_id": dispute_id, "outcome": "rejected", "governing": Governing(),
            "reason": REASON, "actor": actor, "rules": APPROVALS, "recorded_at": self.room.now,
        }  # fmt: skip
        if actor in (BEN, CAT, DAN):
            decide_dispute(self.room.store, self.room.home, **arguments)
            _, hold_id = self.disputes.pop(dispute_id)
            del self.model.holds[hold_id]
        else:
            with pytest.raises(DecisionRefusedError):
                decide_dispute(self.room.store, self.room.home, **arguments)

    def _by_hand(self):
        """Holds that people opened, and release: not those of disputes and of returned payouts."""
        disputed = {hold_id for _, hold_id in self.disputes.values()}
        return sorted(each for each in self.model.holds.keys() - disputed if each[:2] == "h-")

    @rule(actor=st.sampled_from([BEN, CAT, DAN]))
    def pause_or_resume(self, actor):
        """One person stops everything, another lets it go on."""
        said = {"reason": REASON, "actor": actor, "rules": APPROVALS, "recorded_at": self.room.now}
        if self.model.paused_by is None:
            pause(self.room.store, **said)
            self.model.paused_by = actor
        elif actor == self.model.paused_by:
            with pytest.raises(DecisionRefusedError):
                resume(self.room.store, **said)
        else:
            resume(self.room.store, **said)
            self.model.paused_by = None

    @rule(partner_id=st.sampled_from(PARTNERS))
    def correct_details(self, partner_id):
        """A new account cools off; where none is kept, somebody has checked."""
        partner = self.model.partners[partner_id]
        if partner_id not in ACCOUNTS:
            self.room.check_payee(partner_id)
        else:
            partner.account = partner.account % 3 + 1
            self.room.change_account(partner_id, partner.account)
            cooled = self.room.now.date() + timedelta(STORY_RULES.cooling_off_days)
            partner.cools_until = max(partner.cools_until, cooled)
        partner.is_verified = True
