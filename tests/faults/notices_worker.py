"""A process of its own that sends what is kept, and may be killed at a point.

Usage: notices_worker.py HOME PORT [POINT]
Prints how many messages it sent.
"""

from __future__ import annotations

import os
import signal
import sys
from datetime import UTC, datetime
from email.headerregistry import Address
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from dashboards.mailer import MailSettings  # noqa: E402
from dashboards.notices.rendering import Renderer  # noqa: E402
from dashboards.notices.sending import send_due  # noqa: E402
from payouts import checkpoints  # noqa: E402
from payouts.store import open_store  # noqa: E402


def main(home: str, port: str, point: str = "") -> None:
    def observe(name: str) -> None:
        if name == point:
            os.kill(os.getpid(), signal.SIGKILL)

    checkpoints.observer = observe
    store = open_store(Path(home))
    sender = Address("Acme Partners", addr_spec="partners@acme.example")
    found = send_due(
        store,
        Renderer(Path(home), "Acme Partners", "UTC"),
        lambda: datetime.now(UTC).replace(tzinfo=None),
        mail=MailSettings("127.0.0.1", int(port), "smtp", sender, timeout_seconds=10),
    )
    store.close()
    print(found.sent)


if __name__ == "__main__":
    main(*sys.argv[1:])
