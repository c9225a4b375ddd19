"""`partnerledger partner invite|accept|onboarding`: from an invitation to a partner that is paid.

What does not belong here: the rules (`payouts.onboarding`), payout details and tax forms
(`cli_payee_details`, `cli_payees`).
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from orchestration.cli_common import (
    DEFAULT_HOME,
    ActorOption,
    CommandError,
    HomeOption,
    JsonOption,
    ProgramOption,
    actor_name,
    open_control,
    open_published,
    open_workspace,
    out,
    parse_date,
    print_json,
    print_table,
    query,
    require_partner,
    unknown_partner,
)
from orchestration.cli_decision_options import (
    PrintMessageOption,
    SignatureOption,
    Signing,
    SignOption,
)

if TYPE_CHECKING:
    from datetime import date

    from program.load import Workspace

PartnerArgument = Annotated[str, typer.Argument(metavar="PARTNER", help="Id of the partner.")]


def add_commands(partner_app: typer.Typer) -> None:
    """Add the three commands to `partner`."""
    for name, command in (("invite", invite), ("accept", accept), ("onboarding", onboarding)):
        partner_app.command(name)(command)


def invite(
    partner_id: PartnerArgument,
    days: Annotated[
        int, typer.Option("--days", min=1, max=365, help="How long the invitation can be used.")
    ] = 14,
    email: Annotated[
        str,
        typer.Option(
            "--email",
            metavar="EMAIL",
            help="Send it there alone; the address may sign in from then on.",
        ),
    ] = "",
    reason: Annotated[str, typer.Option("--reason", help="A note kept with the event.")] = "",
    home: HomeOption = DEFAULT_HOME,
    program: ProgramOption = None,
    actor: ActorOption = "",
    as_json: JsonOption = False,
) -> None:
    """Invite a partner by mail to its addresses; an earlier invitation ends.

    Where PARTNERLEDGER_SMTP_URL names no mail server, or the partner has no address, the link is
    shown once and not kept: give it to the partner alone. It needs PARTNERLEDGER_BASE_URL; without
    that the token alone is shown, for `partner accept`.
    """
    from dashboards.errors import RefusedError
    from dashboards.invitations import invite_partner
    from dashboards.mailer import mail_settings
    from orchestration.clock import utc_now
    from orchestration.notices import BASE_URL_VARIABLE
    from payouts.terms import approval_rules

    rules = approval_rules(open_workspace(program))
    name = _name_of(home, partner_id)
    with open_control(home) as store:
        try:
            invited = invite_partner(
                store,
                partner_id,
                name,
                with_mail=mail_settings(os.environ) is not None,
                base_url=os.environ.get(BASE_URL_VARIABLE, "").rstrip("/"),
                email=email,
                days=days,
                actor=actor_name(actor),
                rules=rules,
                now=utc_now(),
                reason=reason,
            )
        except RefusedError as error:
            raise CommandError(str(error), error.what_to_do) from error
    # What goes by mail is nobody else's to read.
    shown = {} if invited.mailed_to else {"token": invited.token, "link": invited.link or None}
    if as_json:
        print_json(
            {"partner_id": partner_id, "expires_at": invited.expires_at,
             "mailed_to": list(invited.mailed_to), **shown}
        )  # fmt: skip
        return
    until = invited.expires_at[:10]
    if invited.mailed_to:
        out().print(
            f"Invitation of {partner_id}, usable once until {until}, waits for "
            f"{', '.join(invited.mailed_to)}: the running web app sends it, or `partnerledger "
            "notices send`."
        )
        return
    out().print(f"Invitation of {partner_id}, usable once until {until}:")
    typer.echo(invited.link or invited.token)


def accept(
    partner_id: PartnerArgument,
    invitation: Annotated[
        str | None,
        typer.Option(
            "--invitation",
            metavar="FILE",
            help="File with the token: the partner itself accepts; - for standard input.",
        ),
    ] = None,
    reason: Annotated[
        str, typer.Option("--reason", help="Without an invitation: the contract that was signed.")
    ] = "",
    sign: SignOption = None,
    signature: SignatureOption = None,
    print_message: PrintMessageOption = False,
    home: HomeOption = DEFAULT_HOME,
    program: ProgramOption = None,
    actor: ActorOption = "",
    as_json: JsonOption = False,
) -> None:
    """Record that a partner accepts the terms as they stand today, with the hash of their text."""
    signing = Signing(sign, signature, print_message)
    if signing.is_asked and invitation is not None:
        raise typer.BadParameter(
            "staff sign without --invitation; a partner does not", param_hint="--invitation"
        )
    from orchestration.clock import utc_now
    from payouts import onboarding as rules_of
    from payouts.hashing import sha256_text
    from payouts.payee_state import PARTNER_PREFIX
    from payouts.terms import approval_rules

    workspace = open_workspace(program)
    version, page = shown_terms(workspace, home, partner_id)
    now = utc_now()
    accepted = {
        "terms_version": version,
        "terms_hash": workspace.terms_hash,
        "text_sha256": sha256_text(page),
        "actor": actor_name(actor) if invitation is None else f"{PARTNER_PREFIX}{partner_id}",
    }
    with open_control(home) as store:

        def message() -> str:
            with store.read() as connection:
                return rules_of.acceptance_message(connection, partner_id, **accepted)

        is_printed, signed = signing.signed(message)
        if is_printed:
            return
        if invitation is not None:
            _use_invitation(store, invitation, partner_id)
        payee = rules_of.accept_terms(
            store,
            partner_id,
            recorded_at=now,
            rules=approval_rules(workspace) if invitation is None else None,
            reason=reason,
            signature=signed,
            **accepted,
        )
    if as_json:
        print_json(
            {"partner_id": partner_id, "terms_version": payee.terms_version,
             "terms_hash": payee.terms_hash, "text_sha256": sha256_text(page)}
        )  # fmt: skip
        return
    out().print(f"{partner_id} accepted {payee.terms_version}.")


def onboarding(
    partner_id: PartnerArgument,
    as_of: Annotated[
        str | None, typer.Option("--as-of", metavar="DATE", help="Default: today.")
    ] = None,
    home: HomeOption = DEFAULT_HOME,
    program: ProgramOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show each step of a partner's onboarding, done or missing."""
    day = parse_date(as_of, "--as-of")
    from payouts.onboarding import checklist
    from payouts.payees import Payee, load_payees

    day = day or local_today(open_workspace(program))
    with open_control(home) as store, store.read() as connection:
        payee = load_payees(connection).get(partner_id)
    if payee is None:
        require_partner(home, partner_id)
    steps = checklist(payee or Payee(partner_id), day)
    if as_json:
        print_json(steps)
        return
    print_table(
        f"Onboarding of {partner_id}, as of {day}",
        ("step", "", "what is known"),
        [
            (each.step.replace("_", " "), "done" if each.is_done else "missing", each.detail)
            for each in steps
        ],
    )


def shown_terms(workspace: Workspace, home: Path, partner_id: str) -> tuple[str, str]:
    """What a partner accepts: the name of the plan's version of today, and the page of its terms.

    Raises: CommandError for an unknown partner, or one whose plan is not in force today.
    """
    from orchestration.docs_partner import PageOf, partner_rules, spans_of

    with open_published(home) as connection:
        found = query(
            connection,
            'select name, "group", payout_currency_code from marts.dim_partners '
            "where partner_id = ?",
            [partner_id],
        )
    if not found:
        raise unknown_partner(partner_id)
    row = found[0]
    partner = PageOf(partner_id, row["name"] or "", row["group"], row["payout_currency_code"])
    today = local_today(workspace)
    for span in spans_of(workspace.program, partner):
        if span.start <= today and (span.end is None or today < span.end):
            version = f"{span.plan_id} {span.version.effective_from}"
            return version, partner_rules(workspace.program, partner)
    raise CommandError(
        f"no plan of {partner_id} is in force on {today}",
        "Correct groups or overrides in program.yml.",
    )


def local_today(workspace: Workspace) -> date:
    """The present day in the programme's time zone."""
    from datetime import UTC
    from zoneinfo import ZoneInfo

    from orchestration.clock import utc_now

    zone = ZoneInfo(workspace.program.program.timezone)
    return utc_now().replace(tzinfo=UTC).astimezone(zone).date()


def _name_of(home: Path, partner_id: str) -> str:
    """Raises: CommandError for a partner that the published snapshot does not know."""
    with open_published(home) as connection:
        found = query(
            connection, "select name from marts.dim_partners where partner_id = ?", [partner_id]
        )
    if not found:
        raise unknown_partner(partner_id)
    return found[0]["name"] or partner_id


def _use_invitation(store, invitation: str, partner_id: str) -> None:
    """Raises: CommandError when the file cannot be read or the invitation is another partner's."""
    from orchestration.clock import utc_now
    from payouts.onboarding import accept_invite

    try:
        token = sys.stdin.readline() if invitation == "-" else Path(invitation).read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        raise CommandError(f"{invitation} cannot be read", "Name the file of the token.") from None
    # The file may hold the whole link.
    token = token.strip().rpartition("/")[2]
    accept_invite(store, token, partner_id=partner_id, recorded_at=utc_now())
