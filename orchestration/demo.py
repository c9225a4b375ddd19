"""The demo: one whole night of the bundled sample programme, offline, in a home of its own.

What does not belong here: printing (`cli_night`) and the sample's records (`ingest.sample`).
"""

from __future__ import annotations

import csv
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from orchestration.cli_common import REPOSITORY, CommandError
from orchestration.clock import utc_now
from orchestration.result import NightResult, ProgressCallback

DEMO_ACTOR = "demo"
SAMPLE_PROGRAM = REPOSITORY / "program"
_READY = {
    "terms_accepted": True,
    "payee_verified": True,
    "tax_form": True,
    "screening": True,
}
# Left as they would be in life, so that the summary shows why somebody is not paid.
_NOT_READY: dict[str, dict[str, Any]] = {
    "p_10": {**_READY, "tax_form": False},
    "p_18": {**_READY, "cooling_off_until": date(2026, 3, 31)},
}


def sample_as_of() -> date:
    """The last day of the bundled sample."""
    from ingest.sample import bundled
    from ingest.sample.sizes import Sizes

    sizes = Sizes(
        bundled.SEED, bundled.PARTNERS, bundled.LEADS, bundled.MONTHS, bundled.START, None
    )
    return sizes.end - timedelta(days=1)


def run_demo(home: Path, on_progress: ProgressCallback) -> NightResult:
    """Record the sample partners' payee statuses, then run the sample's last night.

    Raises: CommandError when the home holds nights that the demo did not run; else what a night
    raises.
    """
    from orchestration.night import run_night

    _prepare_payees(home)
    return run_night(SAMPLE_PROGRAM, home, sample_as_of(), on_progress)


def _prepare_payees(home: Path) -> None:
    from payouts import events
    from payouts.payees import EVENT_KIND, load_payees, record_payee
    from payouts.store import open_store
    from payouts.terms import ADMIN, ApprovalRules

    # The sample's terms name people; nobody of them has checked these partners.
    rules = ApprovalRules(roles={ADMIN: frozenset({DEMO_ACTOR})})
    store = open_store(home)
    try:
        with store.read() as connection:
            is_used = events.head(connection).seq > 0
            recorded = events.of_kinds(connection, (EVENT_KIND,))
            payees = load_payees(connection)
        if is_used and not any(event.actor == DEMO_ACTOR for event in recorded):
            raise CommandError(
                f"{home} holds a programme that is not the demo's; nothing was changed",
                "Name an empty folder with --home.",
            )
        now = utc_now()
        # Only who has no record yet: what somebody tried out in the demo's home stays.
        for partner_id in sorted(set(_partner_ids()) - payees.keys()):
            statuses = _NOT_READY.get(partner_id, _READY)
            record_payee(
                store,
                partner_id,
                actor=DEMO_ACTOR,
                recorded_at=now,
                rules=rules,
                reason="sample programme",
                **statuses,
            )
    finally:
        store.close()


def _partner_ids() -> list[str]:
    with (SAMPLE_PROGRAM / "drop" / "partners.csv").open(encoding="utf-8", newline="") as file:
        return [row["partner_id"] for row in csv.DictReader(file)]
