"""Notices of one home: preparing them from the published night, sending them, and never in a
night's way.

What belongs here: opening what `dashboards.notices` needs, and the settings of the environment.
What does not: whom to tell what, and how.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from threading import Event

    from dashboards.mailer import Attachment
    from dashboards.notices.preparing import Prepared
    from dashboards.notices.rendering import Renderer
    from dashboards.notices.sending import Delivered
    from orchestration.night import Clock, Night
    from payouts.outbox import Message
    from payouts.store import Store
    from program.load import Workspace

BASE_URL_VARIABLE = "PARTNERLEDGER_BASE_URL"
# So long a night goes on sending; the rest goes with the next `notices send`.
NIGHT_SENDS_FOR = timedelta(minutes=5)
_LOG = logging.getLogger("partnerledger.notices")


def prepare(home: Path, workspace: Workspace, store: Store, now: datetime) -> Prepared:
    """Keep for sending what is due. now: naive UTC. Templates are checked first.

    Raises: NoticeTemplateError, SnapshotDamagedError, the errors of payouts.store.
    """
    from dashboards.errors import SnapshotMissingError
    from dashboards.notices.preparing import prepare as prepare_from
    from dashboards.snapshot import open_snapshot, read_pointer
    from orchestration.last_night import read_last_night

    if workspace.program.notices.enabled:
        renderer(workspace).check()
    facts = {
        "now": now,
        "today": _local_day(now, workspace.program.program.timezone),
        "last_night": read_last_night(home),
    }
    if not workspace.program.notices.enabled:
        return prepare_from(store, workspace, None, **facts)
    try:
        published_at = datetime.fromisoformat(read_pointer(home).published_at)
        with open_snapshot(home) as connection:
            return prepare_from(store, workspace, (connection, published_at), **facts)
    except SnapshotMissingError:
        return prepare_from(store, workspace, None, **facts)


def send(
    home: Path,
    workspace: Workspace,
    store: Store,
    clock: Clock,
    environment: Mapping[str, str] | None = None,
    kinds: Collection[str] | None = None,
    lasting: timedelta | None = None,
) -> Delivered | None:
    """Send what is due over the channels of the environment; None when it names none.

    Raises: NoticeSettingsError, NoticeTemplateError, the errors of payouts.store.
    """
    from dashboards.mailer import mail_settings
    from dashboards.notices.sending import send_due
    from dashboards.webhook import webhook_url

    environment = os.environ if environment is None else environment
    mail, webhook = mail_settings(environment), webhook_url(environment)
    if mail is None and webhook is None:
        return None
    base_url = environment.get(BASE_URL_VARIABLE, "").rstrip("/")
    return send_due(
        store,
        renderer(workspace, environment),
        clock,
        mail=mail,
        webhook=webhook,
        portal_url=f"{base_url}/portal/account" if base_url else "",
        attach=lambda message: _attachments(home, workspace, store, message),
        kinds=kinds,
        lasting=lasting,
    )


def after_night(night: Night) -> dict[str, Any]:
    """Prepare, and send if a channel is set up; a night that has published never fails here.

    Returns what happened, for the run's metadata: `state`, `messages`, `sent`, `problem`.
    """
    told: dict[str, Any] = {"state": "off", "messages": 0, "sent": 0, "problem": ""}
    try:
        prepared = prepare(night.home, night.workspace, night.store, night.clock())
        told |= {"state": prepared.state, "messages": prepared.messages}
        if prepared.state != "off":
            delivered = send(
                night.home, night.workspace, night.store, night.clock, lasting=NIGHT_SENDS_FOR
            )
            if delivered is not None:
                told |= {"sent": delivered.sent, "problem": delivered.stopped}
    except Exception as error:  # noqa: BLE001  (whatever it is: the night has been published)
        _LOG.warning("notices were not finished: %s", error, exc_info=error)
        told["problem"] = " ".join(str(error).split())[:300]
    if told["problem"]:
        _LOG.warning("notices: %s", told["problem"])
    return told


def keep_sending_links(
    home: Path, workspace: Workspace, store: Store, clock: Clock, stop: Event, every_seconds: float
) -> None:
    """Send links to sign in and invitations as they come, until `stop` is set.

    For a thread beside the web app: who asked for a link waits for it. Failures are logged.
    """
    from dashboards.notices.kinds import INVITATION, SIGN_IN_LINK

    while not stop.wait(every_seconds):
        try:
            delivered = send(home, workspace, store, clock, kinds=(SIGN_IN_LINK, INVITATION))
        except Exception as error:  # noqa: BLE001  (the next round may succeed)
            _LOG.error("links could not be sent: %s", error)
            continue
        if delivered is None:
            return
        if delivered.stopped:
            _LOG.error("links could not be sent: %s", delivered.stopped)


def renderer(workspace: Workspace, environment: Mapping[str, str] | None = None) -> Renderer:
    """The templates of this programme, its own first."""
    from dashboards.notices.rendering import Renderer

    identity = workspace.program.program
    environment = os.environ if environment is None else environment
    return Renderer(
        workspace.root, identity.name, identity.timezone, environment.get(BASE_URL_VARIABLE, "")
    )


def _attachments(
    home: Path, workspace: Workspace, store: Store, message: Message
) -> Sequence[Attachment]:
    """With a weekly statement goes the statement of its month, as PDF and CSV, as known now."""
    from dashboards.mailer import Attachment
    from dashboards.notices.kinds import WEEKLY_STATEMENT
    from dashboards.statements.csv_file import render_csv
    from dashboards.statements.pdf import render_pdf
    from orchestration.known_partner import partner_statement
    from orchestration.statement_files import programme_words

    if message.kind != WEEKLY_STATEMENT:
        return ()
    period = str(message.payload["as_of"])[:7]
    partner_id = str(message.payload["partner_id"])
    with store.read() as connection:
        record, name = partner_statement(
            connection, home, workspace.program, partner_id, period, None
        )
    pdf = render_pdf(record, programme_words(workspace.program.program), name)
    return (
        Attachment(f"statement-{period}.pdf", "application/pdf", pdf),
        Attachment(f"statement-{period}.csv", "text/csv", render_csv(record)),
    )


def _local_day(now: datetime, timezone: str) -> date:
    return now.replace(tzinfo=UTC).astimezone(ZoneInfo(timezone)).date()
