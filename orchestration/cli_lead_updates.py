"""`partnerledger lead …`: asking for updates, answering, writing messages; each an event.

What does not belong here: the rules of recording (`payouts.lead_updates`), deciding
(`cli_lead_decisions`) and reading (`cli_leads`).
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from orchestration.cli_common import (
    DEFAULT_HOME,
    ActorOption,
    HomeOption,
    JsonOption,
    ProgramOption,
    actor_name,
    minute,
    open_both,
    out,
    parse_instant,
    print_json,
    program_timezone,
)

AboutArgument = Annotated[
    str,
    typer.Argument(metavar="REF", help="Lead, customer, company domain or registration."),
]


PartnerOption = Annotated[
    str | None,
    typer.Option(
        "--partner", metavar="PARTNER", help="The one partner that it is for, and that sees it."
    ),
]


class AskedOf(StrEnum):
    """Who is asked for an update."""

    OWNER = "owner"
    PARTNER = "partner"


class Author(StrEnum):
    """For whom a text is recorded."""

    STAFF = "staff"
    PARTNER = "partner"


def add_updates(app: typer.Typer) -> None:
    """Add the commands of this module to `partnerledger lead`."""
    for command in (request, answer, message):
        app.command(command.__name__)(command)


def request(
    reference: AboutArgument,
    asked_of: Annotated[AskedOf, typer.Option("--of", help="Who is asked.")],
    due: Annotated[
        str,
        typer.Option(
            "--due", metavar="DATE", help="Until when; a bare date is its local midnight."
        ),
    ],
    partner: PartnerOption = None,
    text: Annotated[str, typer.Option("--text", help="What is asked; kept as a message.")] = "",
    home: HomeOption = DEFAULT_HOME,
    program: ProgramOption = None,
    actor: ActorOption = "",
    as_json: JsonOption = False,
) -> None:
    """Ask the lead's owner or its partner for an update.

    Without --partner it is for the partner that is credited with most of the lead.
    """
    from orchestration.clock import utc_now
    from orchestration.lead_subjects import require_partner_of, require_subject
    from payouts.lead_updates import post_message, request_update
    from payouts.texts import MESSAGE_CHARACTERS, optional_written

    question = optional_written(text, "the text", MESSAGE_CHARACTERS)
    due_at = parse_instant(due, "--due", program_timezone(program))
    with open_both(home) as (published, store):
        with store.read() as connection:
            subject = require_subject(published, connection, reference)
            if partner is not None:
                require_partner_of(published, connection, subject, partner)
        asked = request_update(
            store, **vars(subject), asked_of=asked_of.value, due_at=due_at, partner_id=partner,
            actor=actor_name(actor), recorded_at=utc_now(),
        )  # fmt: skip
        if question:
            post_message(
                store, **vars(subject), text=question, author_role=Author.STAFF.value,
                actor=actor_name(actor), recorded_at=utc_now(),
                is_partner_visible=asked_of is AskedOf.PARTNER, partner_id=partner,
            )  # fmt: skip
    if as_json:
        print_json(asked)
        return
    out().print(
        f"Asked {partner or f'the {asked.asked_of}'} of {subject.subject_type} "
        f"{subject.subject_id}: "
        f"{asked.request_id}, due {minute(due_at)} UTC. The nights remind of it from then on."
    )


def answer(
    request_id: Annotated[
        str, typer.Argument(metavar="REQUEST", help="Id that `lead requests` shows.")
    ],
    text: Annotated[str, typer.Option("--text", help="The answer; kept as a message.")],
    author: Annotated[
        Author, typer.Option("--by", help="Whose answer it is; --as is who records it.")
    ] = Author.STAFF,
    is_visible: Annotated[
        bool,
        typer.Option("--visible-to-partner", help="The partner may see it; their own always."),
    ] = False,
    home: HomeOption = DEFAULT_HOME,
    actor: ActorOption = "",
    as_json: JsonOption = False,
) -> None:
    """Answer a request for an update. Also one that a night raised."""
    from orchestration.clock import utc_now
    from orchestration.lead_subjects import require_request
    from payouts.lead_updates import answer_update

    with open_both(home) as (published, store):
        with store.read() as connection:
            subject = require_request(published, connection, request_id)
        answered = answer_update(
            store, request_id=request_id, **vars(subject), text=text, author_role=author.value,
            is_partner_visible=is_visible, actor=actor_name(actor), recorded_at=utc_now(),
        )  # fmt: skip
    if as_json:
        print_json(answered)
        return
    out().print(f"Answered {request_id}, {subject.subject_type} {subject.subject_id}.")


def message(
    reference: AboutArgument,
    text: Annotated[str, typer.Option("--text", help="What to keep with the lead.")],
    partner: PartnerOption = None,
    author: Annotated[
        Author, typer.Option("--by", help="Whose message it is; --as is who records it.")
    ] = Author.STAFF,
    is_visible: Annotated[
        bool,
        typer.Option("--visible-to-partner", help="The partner may see it; their own always."),
    ] = False,
    home: HomeOption = DEFAULT_HOME,
    actor: ActorOption = "",
    as_json: JsonOption = False,
) -> None:
    """Write a message about a lead.

    Or about a registration. It is internal unless --partner names whom it is for. With --by partner
    it names who said it.
    """
    from orchestration.clock import utc_now
    from orchestration.lead_subjects import require_partner_of, require_subject
    from payouts.lead_updates import post_message

    with open_both(home) as (published, store):
        with store.read() as connection:
            subject = require_subject(published, connection, reference)
            if partner is not None:
                require_partner_of(published, connection, subject, partner)
        posted = post_message(
            store, **vars(subject), text=text, author_role=author.value, partner_id=partner,
            is_partner_visible=is_visible, actor=actor_name(actor), recorded_at=utc_now(),
        )  # fmt: skip
    if as_json:
        print_json(posted)
        return
    seen = f"{partner or 'the partner'} may see it" if posted.is_partner_visible else "internal"
    out().print(
        f"Kept with {subject.subject_type} {subject.subject_id}, {seen}: {posted.message_id}"
    )
