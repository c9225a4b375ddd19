"""kill -9 while sending: no message goes out twice, none is forgotten, staff sees which is unsure.

Two processes at once share the work. SQLite runs with ``synchronous=FULL`` here.
"""

from __future__ import annotations

import signal
import subprocess
import sys
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path

import pytest

WEB = Path(__file__).parents[1] / "web"
sys.path.insert(0, str(WEB))

from mail_servers import Mailbox, mail_server  # noqa: E402

from dashboards.notices.samples import sample  # noqa: E402
from payouts.outbox import enqueue, list_messages, undelivered  # noqa: E402
from payouts.store import open_store  # noqa: E402

pytestmark = pytest.mark.faults
WORKER = Path(__file__).parent / "notices_worker.py"
KEPT_AT = datetime(2026, 3, 2, 8, 0)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home with three messages in it."""
    store = open_store(tmp_path / "home")
    for number in range(3):
        enqueue(
            store, "payout_sent", f"payout:{number}", "mail", f"p{number}@partner.example",
            sample("payout_sent"), KEPT_AT + timedelta(seconds=number),
        )  # fmt: skip
    store.close()
    return tmp_path / "home"


def start(home: Path, port: int, point: str = "") -> subprocess.Popen[str]:
    command = [sys.executable, str(WORKER), str(home), str(port), *([point] if point else [])]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


@pytest.mark.parametrize(
    ("point", "arrived_before"), [("notice.claimed", 0), ("notice.handed_over", 1)]
)
def test_a_killed_sender_leaves_one_message_in_doubt(home, point, arrived_before):
    mailbox = Mailbox()
    with mail_server(mailbox) as port:
        assert start(home, port, point).wait() == -signal.SIGKILL
        assert len(mailbox.messages) == arrived_before
        sender = start(home, port)
        assert sender.communicate()[0].strip() == "2" and sender.returncode == 0
    arrived = Counter(str(message["To"]) for message in mailbox.messages)
    assert set(arrived.values()) == {1}
    assert len(arrived) == 2 + arrived_before
    store = open_store(home)
    with store.read() as connection:
        assert Counter(each.state for each in list_messages(connection)) == {
            "sent": 2, "sending": 1,
        }  # fmt: skip
        (unsure,) = undelivered(connection)
    store.close()
    assert unsure.recipient == "p0@partner.example"
    claimed_at = datetime.fromisoformat(unsure.claimed_at.removesuffix("Z"))
    assert unsure.is_abandoned(claimed_at + timedelta(minutes=15))


def test_two_processes_send_each_message_once(tmp_path):
    store = open_store(tmp_path / "home")
    for number in range(20):
        enqueue(
            store, "payout_sent", f"payout:{number}", "mail", f"p{number}@partner.example",
            sample("payout_sent"), KEPT_AT,
        )  # fmt: skip
    store.close()
    mailbox = Mailbox()
    with mail_server(mailbox) as port:
        senders = [start(tmp_path / "home", port) for _ in range(2)]
        sent = [int(sender.communicate(timeout=120)[0]) for sender in senders]
    assert sum(sent) == 20
    arrived = Counter(str(message["To"]) for message in mailbox.messages)
    assert len(arrived) == 20 and set(arrived.values()) == {1}
