"""Holds that risk signals open by themselves: somebody looks before money leaves.

What belongs here: which signals open a hold, and opening it. What does not: finding signals (the
models) and releasing a hold (``holds``): only people do that.

A signal opens one hold ever. Once a person has released it, the same signal stays released.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from payouts.errors import DecisionRefusedError
from payouts.export_files import discard_unregistered_export
from payouts.holds import Hold, append_hold, load_holds, make_held_batches_stale
from payouts.store import Store
from payouts.texts import REASON_CHARACTERS

ACTOR = "system:risk"
SEVERITIES = ("low", "medium", "high")
NEVER = "never"
SUBJECT_TYPES = ("lead", "partner")


@dataclass(frozen=True)
class SignalRules:
    """From which severity on a signal opens a hold: one of ``SEVERITIES``, or ``never``."""

    hold_from: str = "high"

    def opens_hold(self, severity: str) -> bool:
        """Whether a signal of this severity opens a hold.

        Raises: DecisionRefusedError for an unknown severity: it might be the worst.
        """
        if severity not in SEVERITIES:
            raise DecisionRefusedError(
                f"{severity!r} is no severity of a risk signal; known are {', '.join(SEVERITIES)}. "
                "No hold was opened; correct the model"
            )
        if self.hold_from == NEVER:
            return False
        return SEVERITIES.index(severity) >= SEVERITIES.index(self.hold_from)


def open_signal_holds(
    store: Store,
    home: Path,
    signals: Iterable[Mapping[str, Any]],
    rules: SignalRules,
    recorded_at: datetime,
) -> tuple[list[Hold], list[str]]:
    """Open a hold for each signal that is severe enough and never had one.

    signals: rows with ``signal_id``, ``severity``, ``subject_type`` (lead or partner),
    ``subject_id`` and ``evidence``, the text that becomes the reason.
    Returns the new holds and the ids of live batches that would pay what is held: they went stale
    in the same transaction.
    Raises: DecisionRefusedError for a signal that cannot be held; no hold is opened then.
    """
    wanted = {}
    for signal in signals:
        if rules.opens_hold(signal["severity"]):
            payload = _checked(signal)
            # Found by a model, not typed: a long list of what was seen is cut, not refused.
            evidence = str(signal["evidence"] or "no evidence")[:REASON_CHARACTERS]
            wanted[payload["signal_id"]] = (payload, f"risk signal: {evidence}")
    if not wanted:
        return [], []
    with store.write() as connection:
        known = {hold.signal_id for hold in load_holds(connection)}
        opened = [
            append_hold(connection, payload, reason=reason, actor=ACTOR, recorded_at=recorded_at)
            for signal_id, (payload, reason) in sorted(wanted.items())
            if signal_id not in known
        ]
        stale = make_held_batches_stale(connection, home, opened, recorded_at) if opened else []
    for batch_id in stale:
        discard_unregistered_export(store, home, batch_id)
    return opened, stale


def _checked(signal: Mapping[str, Any]) -> dict[str, str]:
    signal_id = signal["signal_id"]
    if not signal_id or not signal["subject_id"]:
        raise DecisionRefusedError(
            f"a risk signal lacks its id or its subject ({signal_id!r}, {signal['subject_id']!r}). "
            "No hold was opened; correct the model"
        )
    if signal["subject_type"] not in SUBJECT_TYPES:
        raise DecisionRefusedError(
            f"risk signal {signal_id} is about a {signal['subject_type']!r}, and only a "
            f"{' or a '.join(SUBJECT_TYPES)} can be held. No hold was opened; correct the model"
        )
    return {
        "subject_type": signal["subject_type"],
        "subject_id": signal["subject_id"],
        "signal_id": signal_id,
    }
