"""Partners' addresses of the directory, taken over for signing in once a night is published.

What does not belong here: what taking over means (`payouts.portal_addresses`). The published
snapshot holds no addresses, so they are read from the working file of the same night.
"""

from __future__ import annotations

import logging
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from orchestration.errors import OrchestrationError
from orchestration.warehouse import open_working_file

if TYPE_CHECKING:
    from payouts.portal_addresses import DirectoryChanges
    from payouts.store import Store

_LOG = logging.getLogger("partnerledger.night")


def take_over_addresses(home: Path, store: Store, now: datetime) -> DirectoryChanges | None:
    """Let partners sign in with the addresses of the directory, and with those alone.

    A terminated partner's addresses are left out. now: naive UTC. A night that has published does
    not fail here: what goes wrong is logged, None comes back, and the next night tries again.
    """
    import duckdb

    from payouts.errors import PayoutsError
    from payouts.portal_addresses import take_over_directory

    try:
        with open_working_file(home) as connection:
            directory = connection.execute(
                "SELECT partner_id, email FROM intermediate.int_sources__partners "
                "WHERE email IS NOT NULL AND partner_status IS DISTINCT FROM 'terminated'"
            ).fetchall()
        with store.write() as writer:
            changes = take_over_directory(writer, directory, now)
    except (duckdb.Error, OrchestrationError, PayoutsError) as error:
        _LOG.warning("addresses to sign in with stay as they were: %s", type(error).__name__)
        _LOG.debug("taking over the directory failed", exc_info=error)
        return None
    if changes.added or changes.removed:
        _LOG.info("addresses to sign in with: %d new, %d gone", changes.added, changes.removed)
    return changes
