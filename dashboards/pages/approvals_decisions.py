"""Decisions on a batch: approve bound to the hash that was seen, reject, revoke, hold, export."""

from __future__ import annotations

from typing import TYPE_CHECKING

from payouts.approvals import approve, reject, revoke
from payouts.hashing import sha256_text
from payouts.holds import open_hold
from payouts.pausing import pause, resume
from payouts.records import load_state

from dashboards.errors import BadInputError
from dashboards.routing import action
from dashboards.users import APPROVERS, DECIDERS

if TYPE_CHECKING:
    from starlette.responses import Response

    from dashboards.visit import Visit

_REASON = 500
_HELD = ("partner", "lead", "commission")


def approve_batch(visit: Visit) -> Response:
    """Approve exactly the content whose hash the page showed."""
    batch_id = visit.path("batch_id")
    state = approve(
        visit.store,
        visit.settings.home,
        batch_id,
        approved_hash=visit.required("content_hash", 64),
        actor=visit.user.subject,
        role=visit.required("role", 20),
        rules=visit.approval_rules,
        recorded_at=visit.now,
        identity_level=visit.user.identity_level,
    )
    left = "It waits for its export." if state.state == "finance_approved" else "It waits for more."
    return visit.redirect(f"/approvals/{batch_id}", f"You approved this batch. {left}")


def reject_batch(visit: Visit) -> Response:
    """Reject a batch for good; its entries are free again."""
    batch_id = visit.path("batch_id")
    _require_seen(visit, batch_id)
    reject(
        visit.store,
        visit.settings.home,
        batch_id,
        reason=visit.required("reason", _REASON),
        actor=visit.user.subject,
        rules=visit.approval_rules,
        recorded_at=visit.now,
        identity_level=visit.user.identity_level,
    )
    return visit.redirect(
        f"/approvals/{batch_id}", "You rejected this batch. Its entries are free for the next one."
    )


def revoke_approval(visit: Visit) -> Response:
    """Take an approval back."""
    batch_id = visit.path("batch_id")
    revoke(
        visit.store,
        batch_id,
        reason=visit.required("reason", _REASON),
        actor=visit.user.subject,
        recorded_at=visit.now,
        identity_level=visit.user.identity_level,
    )
    return visit.redirect(f"/approvals/{batch_id}", "The approvals of this batch are taken back.")


def hold(visit: Visit) -> Response:
    """Hold a partner, a lead or a line; batches that would pay it go out of date."""
    subject_type = visit.required("subject_type", 20)
    if subject_type not in _HELD:
        raise BadInputError(f"subject_type={subject_type}: one of {', '.join(_HELD)}")
    held, stale = open_hold(
        visit.store,
        visit.settings.home,
        subject_type=subject_type,
        subject_id=visit.required("subject_id", 200),
        reason=visit.required("reason", _REASON),
        actor=visit.user.subject,
        rules=visit.approval_rules,
        recorded_at=visit.now,
        identity_level=visit.user.identity_level,
    )
    after = f" Out of date now: {', '.join(stale)}; propose again." if stale else ""
    return visit.redirect(
        f"/approvals/{visit.path('batch_id')}", f"Held: {subject_type} {held.subject_id}.{after}"
    )


def export(visit: Visit) -> Response:
    """Write the payout files of an approved batch on the server; they never leave by the app."""
    batch_id = visit.path("batch_id")
    done = visit.services.export(visit.store, batch_id, visit.user.subject, visit.now)
    names = ", ".join(path.name for path in done.files)
    verb = "Exported" if done.is_new else "Was exported before, the same bytes"
    return visit.redirect(
        f"/approvals/{batch_id}",
        f"{verb}: {names}, SHA-256 {done.file_sha256[:16]}…, in the exports folder of the home.",
    )


def propose(visit: Visit) -> Response:
    """Propose what is due from the published night."""
    made = visit.services.propose(visit.store, None, visit.user.subject, visit.now)
    text = f"Proposed: {', '.join(each.batch_id for each in made)}." if made else "Nothing is due."
    return visit.redirect("/approvals", text)


def pause_payouts(visit: Visit) -> Response:
    """Stop all exports until another person lets them run again."""
    pause(
        visit.store,
        reason=visit.required("reason", _REASON),
        actor=visit.user.subject,
        rules=visit.approval_rules,
        recorded_at=visit.now,
        identity_level=visit.user.identity_level,
    )
    return visit.redirect("/approvals", "Payouts are paused: nothing is exported.")


def resume_payouts(visit: Visit) -> Response:
    """Let exports run again."""
    resume(
        visit.store,
        reason=visit.required("reason", _REASON),
        actor=visit.user.subject,
        rules=visit.approval_rules,
        recorded_at=visit.now,
        identity_level=visit.user.identity_level,
    )
    return visit.redirect("/approvals", "Payouts run again.")


def _require_seen(visit: Visit, batch_id: str) -> None:
    """Whoever decides has seen the batch as it is. Raises: StaleViewError, BatchNotFoundError."""
    from dashboards.errors import StaleViewError

    with visit.control() as connection:
        state = load_state(connection, batch_id)
    seen = visit.required("content_hash", 64)
    if sha256_text(seen) != sha256_text(state.content_hash):
        raise StaleViewError(f"batch {batch_id} is not what you saw; look at it again")


ENTRIES = [
    action("/approvals/propose", propose, DECIDERS),
    action("/approvals/pause", pause_payouts, DECIDERS),
    action("/approvals/resume", resume_payouts, DECIDERS),
    action("/approvals/{batch_id}/approve", approve_batch, APPROVERS),
    action("/approvals/{batch_id}/reject", reject_batch, DECIDERS),
    action("/approvals/{batch_id}/revoke", revoke_approval, APPROVERS),
    action("/approvals/{batch_id}/hold", hold, DECIDERS),
    action("/approvals/{batch_id}/export", export, DECIDERS),
]
