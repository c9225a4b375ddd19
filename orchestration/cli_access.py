"""`partnerledger access …`: who is signed in to the web app, and by which addresses partners may.

What does not belong here: the rules (`payouts.web_sessions`, `payouts.portal_addresses`) and the
web app itself.
"""

from __future__ import annotations

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
    counted,
    open_control,
    open_workspace,
    out,
    print_json,
    print_table,
    require_partner,
)

if TYPE_CHECKING:
    from payouts.web_sessions import WebSession

app = typer.Typer(
    help="The web app: who is signed in, and which addresses partners sign in with.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
# So many digits of a session's hash are shown, and the fewest that name one.
_SHOWN_DIGITS, _LEAST_DIGITS = 12, 6
PartnerArgument = Annotated[str, typer.Argument(metavar="PARTNER", help="Id of the partner.")]
EmailArgument = Annotated[str, typer.Argument(metavar="EMAIL", help="The e-mail address.")]


@app.command("list")
def list_access(
    who: Annotated[
        str | None,
        typer.Option("--who", metavar="WHO", help="An e-mail address, or partner:ID."),
    ] = None,
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
) -> None:
    """Show who is signed in, and the addresses to which partners have links sent."""
    from orchestration.clock import utc_now
    from payouts.portal_addresses import list_addresses, normalised
    from payouts.web_sessions import live_sessions, partner_subject

    with open_control(home) as store, store.read() as connection:
        sessions = live_sessions(connection, utc_now(), who)
        addresses = [
            each
            for each in list_addresses(connection)
            if who is None or who == partner_subject(each.partner_id)
            or normalised(who) == each.email
        ]  # fmt: skip
    if as_json:
        print_json(
            {"sessions": [vars(each) for each in sessions],
             "addresses": [vars(each) for each in addresses]}
        )  # fmt: skip
        return
    print_table(
        "Signed in",
        ("session", "who", "kind", "since", "until"),
        [
            (each.session_sha256[:_SHOWN_DIGITS], each.subject, each.kind, _minute(each.created_at),
             _minute(each.expires_at))
            for each in sessions
        ],
        whole=("session", "who"),
    )  # fmt: skip
    print_table(
        "Addresses of partners",
        ("partner", "e-mail", "from", "since"),
        [
            (each.partner_id, each.email, each.source, _minute(each.added_at))
            for each in addresses
        ],
        whole=("partner", "e-mail"),
    )  # fmt: skip


@app.command("revoke")
def revoke(
    who: Annotated[
        str | None,
        typer.Argument(metavar="WHO", help="An e-mail address, partner:ID, or a session."),
    ] = None,
    everybody: Annotated[
        bool, typer.Option("--all", help="Everybody, staff and partners.")
    ] = False,
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
) -> None:
    """Sign somebody out at once: one session, all of a person or partner, or everybody.

    Links that were sent and not used end as well. They can sign in anew: take the role out of
    program.yml, or the address away, to keep somebody out.
    """
    from orchestration.clock import utc_now
    from payouts import login_links, web_sessions

    if (who is None) == (not everybody):
        raise typer.BadParameter("name somebody, or give --all", param_hint="WHO")
    now = utc_now()
    with open_control(home) as store, store.write() as connection:
        if who is None:
            ended = web_sessions.revoke_everybody(connection, now)
            login_links.end_all_links(connection, now)
        elif "@" in who or who.startswith(web_sessions.partner_subject("")):
            ended = web_sessions.revoke_subject(connection, who, now)
            login_links.end_links(
                connection, who.strip().removeprefix(web_sessions.partner_subject("")), now
            )
        else:
            session = _session(who, web_sessions.live_sessions(connection, now))
            ended = web_sessions.revoke_session(connection, session.session_sha256, now)
    if as_json:
        print_json({"revoked": ended})
    else:
        out().print(f"signed out: {counted(ended, 'session')}")


@app.command("allow")
def allow(
    partner_id: PartnerArgument,
    email: EmailArgument,
    home: HomeOption = DEFAULT_HOME,
    program: ProgramOption = None,
    actor: ActorOption = "",
    as_json: JsonOption = False,
) -> None:
    """Let an address sign in as a partner, beside those of the partner directory."""
    from orchestration.clock import utc_now
    from payouts.portal_addresses import allow_address
    from payouts.terms import approval_rules

    rules = approval_rules(open_workspace(program))
    require_partner(home, partner_id)
    with open_control(home) as store:
        added = allow_address(
            store, partner_id, email, actor=actor_name(actor), rules=rules, now=utc_now()
        )
    if as_json:
        print_json(vars(added))
    else:
        out().print(f"{added.partner_id} may sign in with {added.email}")


@app.command("forbid")
def forbid(
    partner_id: PartnerArgument,
    email: EmailArgument,
    home: HomeOption = DEFAULT_HOME,
    program: ProgramOption = None,
    actor: ActorOption = "",
) -> None:
    """Take an address back that `allow` has added, and sign the partner out."""
    from orchestration.clock import utc_now
    from payouts.portal_addresses import forbid_address
    from payouts.terms import approval_rules

    rules = approval_rules(open_workspace(program))
    with open_control(home) as store:
        forbid_address(
            store, partner_id, email, actor=actor_name(actor), rules=rules, now=utc_now()
        )
    out().print(f"{partner_id} does not sign in with that address any more")


def _session(prefix: str, live: list[WebSession]) -> WebSession:
    found = [each for each in live if each.session_sha256.startswith(prefix.strip().lower())]
    if len(prefix.strip()) < _LEAST_DIGITS or len(found) != 1:
        raise CommandError(
            f"{prefix!r} names {'no' if not found else 'more than one'} session",
            f"`partnerledger access list` shows them; {_LEAST_DIGITS} digits or more name one.",
        )
    return found[0]


def _minute(instant: str) -> str:
    """Fixed-width UTC text as people read it."""
    return f"{instant[:10]} {instant[11:16]}"
