"""`partnerledger notices …`: prepare, send, list, drop, retry, preview.

What does not belong here: what these do (`notices`, `dashboards.notices`, `payouts.outbox`).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from orchestration.cli_common import (
    DEFAULT_HOME,
    ActorOption,
    CommandError,
    HomeOption,
    JsonOption,
    ProgramOption,
    actor_name,
    counted,
    open_control,
    open_workspace,
    out,
    print_json,
    print_table,
)

if TYPE_CHECKING:
    from datetime import datetime

    from payouts.outbox import Message

app = typer.Typer(
    help="Messages to partners and staff: prepare, send, list, drop, retry, preview.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
IdArgument = Annotated[
    str, typer.Argument(metavar="ID", help="Id of the message, or how it begins.")
]
_SHOWN_ID = 12


@app.command("prepare")
def prepare(
    home: HomeOption = DEFAULT_HOME, program: ProgramOption = None, as_json: JsonOption = False
) -> None:
    """Keep for sending what is due: news of the published night and of decisions.

    Running it again keeps nothing twice. The first time, what is known already counts as told.
    """
    from orchestration.clock import utc_now
    from orchestration.notices import prepare as prepare_notices

    workspace = open_workspace(program)
    with open_control(home) as store:
        prepared = prepare_notices(home, workspace, store, utc_now())
    if as_json:
        print_json({**vars(prepared), "messages": prepared.messages})
        return
    if prepared.state == "off":
        out().print("notices are off: set notices.enabled in program.yml")
        return
    if prepared.state == "switched_on":
        out().print("notices are on from here: what is known so far counts as told")
    print_table(
        "Kept for sending", ("kind", "messages"), prepared.kept.items(), right=("messages",)
    )
    if prepared.without_address:
        names = ", ".join(prepared.without_address[:10])
        out().print(
            f"{counted(len(prepared.without_address), 'partner')} without an address: {names}"
        )


@app.command("send")
def send(
    home: HomeOption = DEFAULT_HOME, program: ProgramOption = None, as_json: JsonOption = False
) -> None:
    """Send what is due over the channels that the environment names.

    PARTNERLEDGER_SMTP_URL with PARTNERLEDGER_MAIL_FROM for mail, PARTNERLEDGER_CHAT_WEBHOOK for
    the staff's chat. Two of these at once share the work.
    """
    from orchestration.clock import utc_now
    from orchestration.notices import send as send_notices

    workspace = open_workspace(program)
    with open_control(home) as store:
        delivered = send_notices(home, workspace, store, utc_now)
    if delivered is None:
        raise CommandError(
            "neither a mail server nor a webhook is named; nothing was sent",
            "Set PARTNERLEDGER_SMTP_URL and PARTNERLEDGER_MAIL_FROM, or "
            "PARTNERLEDGER_CHAT_WEBHOOK: see docs/runbooks/notices.md.",
        )
    record = delivered.record()
    if as_json:
        print_json(record)
    else:
        counts = ", ".join(f"{record[state]} {word}" for state, word in _OUTCOMES.items())
        out().print(counts)
    if delivered.stopped:
        raise CommandError(delivered.stopped)


_OUTCOMES = {
    "sent": "sent", "waiting": "to be tried again", "failed": "not delivered or unknown",
    "dropped": "refused for good",
}  # fmt: skip


@app.command("list")
def list_(
    state: Annotated[
        list[str] | None,
        typer.Option("--state", help="waiting, sending, sent, failed or dropped; several times."),
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="At most so many.")] = 200,
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
) -> None:
    """Show messages, newest first, and what became of them."""
    from orchestration.clock import utc_now
    from payouts.outbox import STATES, list_messages

    unknown = sorted({*(state or ())} - {*STATES})
    if unknown:
        raise typer.BadParameter(
            f"{unknown[0]!r} is no state; use {', '.join(STATES)}", param_hint="--state"
        )
    with open_control(home) as store, store.read() as connection:
        messages = list_messages(connection, state or None, limit)
    now = utc_now()
    if as_json:
        print_json([_record(each, now) for each in messages])
        return
    print_table(
        "Messages",
        ("id", "kind", "to", "state", "tries", "kept (UTC)", "what happened"),
        [
            (each.message_id[:_SHOWN_ID], each.kind, each.recipient, each.state, each.attempts,
             each.created_at[:16].replace("T", " "), _happened(each, now))
            for each in messages
        ],
        right=("tries",),
        whole=("id",),
    )  # fmt: skip


@app.command("drop")
def drop(
    message: IdArgument,
    home: HomeOption = DEFAULT_HOME,
    actor: ActorOption = "",
    as_json: JsonOption = False,
) -> None:
    """Never send a message, or stop showing one that could not be delivered."""
    from orchestration.clock import utc_now
    from payouts.outbox import drop_by_person

    with open_control(home) as store:
        _show(drop_by_person(store, message, actor_name(actor), utc_now()), as_json)


@app.command("retry")
def retry(
    message: IdArgument,
    home: HomeOption = DEFAULT_HOME,
    actor: ActorOption = "",
    as_json: JsonOption = False,
) -> None:
    """Send a message once more that failed, was dropped, or may have been sent.

    Nothing does this by itself: look at the mail server's log first.
    """
    from orchestration.clock import utc_now
    from payouts.outbox import send_again

    with open_control(home) as store:
        _show(send_again(store, message, actor_name(actor), utc_now()), as_json)


@app.command("preview")
def preview(
    kind: Annotated[str, typer.Argument(metavar="KIND", help="Which message.")],
    html: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="Write the page of it here.")
    ] = None,
    program: ProgramOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show a message with made-up values, in the words of this programme's templates."""
    from dashboards.notices.kinds import KINDS
    from dashboards.notices.samples import sample
    from orchestration.notices import renderer

    if kind not in KINDS:
        raise typer.BadParameter(
            f"{kind!r} is no message; use one of {', '.join(KINDS)}", param_hint="KIND"
        )
    rendered = renderer(open_workspace(program)).render(kind, sample(kind))
    if html is not None:
        html.write_text(rendered.html, encoding="utf-8")
    if as_json:
        print_json(vars(rendered))
        return
    print(f"Subject: {rendered.subject}\n\n{rendered.text}")
    if rendered.chat:
        print(f"In the chat: {rendered.chat}")


def _show(message: Message, as_json: bool) -> None:
    from orchestration.clock import utc_now

    if as_json:
        print_json(_record(message, utc_now()))
    else:
        out().print(f"{message.message_id[:_SHOWN_ID]} {message.kind}: {message.state}")


def _record(message: Message, now: datetime) -> dict[str, Any]:
    """Everything but what the message says."""
    record = {name: value for name, value in vars(message).items() if name != "payload"}
    return {**record, "may_have_been_sent": message.is_abandoned(now)}


def _happened(message: Message, now: datetime) -> str:
    if message.is_abandoned(now):
        return "it may have been sent: its sender ended. Look, then `notices retry` or `drop`"
    if message.state == "waiting" and message.next_attempt_at:
        return f"{message.last_error}; again {message.next_attempt_at[:16].replace('T', ' ')}"
    return message.last_error or ""
