"""`payee` and `partner`: readiness to be paid, partners' money."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from orchestration.cli_common import (
    DEFAULT_HOME,
    ActorOption,
    CommandError,
    HomeOption,
    JsonOption,
    ProgramOption,
    actor_name,
    money,
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

payee_app = typer.Typer(
    help="Whether a partner may be paid: statuses of the gates.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
partner_app = typer.Typer(
    help="Partners and their balances.", no_args_is_help=True, rich_markup_mode=None
)
PartnerArgument = Annotated[str, typer.Argument(metavar="PARTNER", help="Id of the partner.")]
_STATUSES = ("terms_accepted", "payee_verified", "tax_form", "screening", "cooling_off_until")
# Enough to see that two are the same.
_FINGERPRINT_SHOWN = 12


def add_commands(app: typer.Typer) -> None:
    """Add both groups to the command line."""
    app.add_typer(payee_app, name="payee")
    app.add_typer(partner_app, name="partner")


@payee_app.command("record")
def record(
    partner_id: PartnerArgument,
    terms_accepted: Annotated[
        bool | None, typer.Option("--terms-accepted/--no-terms-accepted", help="Contract signed.")
    ] = None,
    payee_verified: Annotated[
        bool | None, typer.Option("--verified/--no-verified", help="Bank account checked.")
    ] = None,
    tax_form: Annotated[
        bool | None, typer.Option("--tax-form/--no-tax-form", help="Valid tax form on file.")
    ] = None,
    screening: Annotated[
        bool | None,
        typer.Option("--screening/--no-screening", help="Sanctions screening is clear."),
    ] = None,
    cooling_off: Annotated[
        str | None,
        typer.Option(
            "--cooling-off-until",
            metavar="DATE",
            help="Not paid before this day; `none` clears it.",
        ),
    ] = None,
    fingerprint: Annotated[
        str | None,
        typer.Option(
            "--fingerprint",
            metavar="HEX",
            help="Keyed hash of the account, made where it is kept; never its number.",
        ),
    ] = None,
    reason: Annotated[str, typer.Option("--reason", help="Why; kept with the event.")] = "",
    home: HomeOption = DEFAULT_HOME,
    actor: ActorOption = "",
    as_json: JsonOption = False,
) -> None:
    """Record what was checked. Statuses only: no document, no account number."""
    is_cleared = cooling_off == "none"
    until = None if is_cleared else parse_date(cooling_off, "--cooling-off-until")
    given = (terms_accepted, payee_verified, tax_form, screening, cooling_off, fingerprint)
    if all(status is None for status in given):
        raise typer.BadParameter("give at least one status", param_hint="--terms-accepted …")
    from orchestration.clock import utc_now
    from payouts.payees import record_payee

    require_partner(home, partner_id)
    with open_control(home) as store:
        payee = record_payee(
            store,
            partner_id,
            actor=actor_name(actor),
            recorded_at=utc_now(),
            terms_accepted=terms_accepted,
            payee_verified=payee_verified,
            tax_form=tax_form,
            screening=screening,
            cooling_off_until=until,
            clear_cooling_off=is_cleared,
            payee_fingerprint=fingerprint,
            reason=reason,
        )
    _print_payees([payee], as_json)


@payee_app.command("show")
def show_payee(
    partner_id: PartnerArgument, home: HomeOption = DEFAULT_HOME, as_json: JsonOption = False
) -> None:
    """Show the statuses of one partner; nothing recorded counts as not done."""
    from payouts.payees import Payee, load_payees

    with open_control(home) as store, store.read() as connection:
        payee = load_payees(connection).get(partner_id)
    if payee is None:
        require_partner(home, partner_id)
    _print_payees([payee or Payee(partner_id)], as_json)


@payee_app.command("list")
def list_payees(home: HomeOption = DEFAULT_HOME, as_json: JsonOption = False) -> None:
    """List everybody about whom something was recorded."""
    from payouts.payees import load_payees

    with open_control(home) as store, store.read() as connection:
        payees = [payee for _, payee in sorted(load_payees(connection).items())]
    _print_payees(payees, as_json)


@partner_app.command("list")
def list_partners(home: HomeOption = DEFAULT_HOME, as_json: JsonOption = False) -> None:
    """List partners with plan, status and balance."""
    with open_published(home) as connection:
        rows = query(
            connection,
            'select partner.partner_id, partner.name, partner."group", partner.status, '
            "partner.plan_id, coalesce(balance.payout_currency_code, partner.payout_currency_code) "
            "as currency_code, coalesce(balance.available_amount_minor, 0) as "
            "available_amount_minor, coalesce(balance.balance_amount_minor, 0) as "
            "balance_amount_minor from marts.dim_partners as partner left join "
            "marts.fct_partner_balances as balance using (partner_id) "
            "order by length(partner.partner_id), partner.partner_id",
        )
    if as_json:
        print_json(rows)
        return
    print_table(
        "Partners",
        ("partner", "", "group", "status", "plan", "available", "balance"),
        [
            (row["partner_id"], row["name"], row["group"], row["status"], row["plan_id"],
             money(row["available_amount_minor"], row["currency_code"]),
             money(row["balance_amount_minor"], row["currency_code"]))
            for row in rows
        ],
        right=("available", "balance"),
    )  # fmt: skip


@partner_app.command("show")
def show_partner(
    partner_id: PartnerArgument, home: HomeOption = DEFAULT_HOME, as_json: JsonOption = False
) -> None:
    """Show one partner: plan, status, gates, balances, leads."""
    from payouts.payees import Payee, load_payees

    with open_published(home) as connection:
        found = query(
            connection, "select * from marts.dim_partners where partner_id = ?", [partner_id]
        )
        if not found:
            raise unknown_partner(partner_id)
        balances = query(
            connection,
            "select * exclude (partner_id) from marts.fct_partner_balances where partner_id = ? "
            "order by payout_currency_code",
            [partner_id],
        )
        verdicts = query(
            connection,
            "select verdict, count(*) as submissions from marts.fct_lead_submissions "
            "where partner_id = ? group by all order by 2 desc, 1",
            [partner_id],
        )
    with open_control(home) as store, store.read() as connection:
        payee = load_payees(connection).get(partner_id, Payee(partner_id))
    partner: dict[str, Any] = {
        **found[0],
        "payee": {status: getattr(payee, status) for status in _STATUSES},
        "balances": balances,
        "submissions": verdicts,
    }
    if as_json:
        print_json(partner)
        return
    out().print(
        f"{partner_id} {partner['name']}: {partner['status']}, group {partner['group']}, plan "
        f"{partner['plan_id']}, paid in {partner['payout_currency_code']}"
    )
    _print_payees([payee], as_json=False)
    for row in balances:
        amounts = ", ".join(
            f"{name.removesuffix('_amount_minor').replace('_', ' ')} "
            f"{money(value, row['payout_currency_code'])}"
            for name, value in row.items()
            if name.endswith("_amount_minor")
        )
        out().print(f"Money: {amounts}")
    shown = ", ".join(f"{row['submissions']} {row['verdict']}" for row in verdicts)
    out().print(f"Submissions: {shown or 'none'}")


@partner_app.command("rules")
def rules(
    partner_id: PartnerArgument,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="FILE", dir_okay=False, help="Write the page here instead."
        ),
    ] = None,
    home: HomeOption = DEFAULT_HOME,
    program: ProgramOption = None,
) -> None:
    """Say a partner's terms in words: a Markdown page, each version with its days.

    Group and payout currency are those of the published snapshot.
    """
    from orchestration.docs_partner import PageOf, partner_rules

    with open_published(home) as connection:
        found = query(
            connection,
            'select partner_id, name, "group", payout_currency_code from marts.dim_partners '
            "where partner_id = ?",
            [partner_id],
        )
    if not found:
        raise unknown_partner(partner_id)
    row = found[0]
    partner = PageOf(partner_id, row["name"] or "", row["group"], row["payout_currency_code"])
    page = partner_rules(open_workspace(program).program, partner)
    if output is None:
        typer.echo(page, nl=False)
        return
    try:
        output.write_text(page, encoding="utf-8")
    except OSError as error:
        raise CommandError(
            f"{output} cannot be written: {error.strerror or error}", "Name another file."
        ) from None
    out().print(f"wrote {output}")


def _print_payees(payees: list, as_json: bool) -> None:
    if as_json:
        print_json(payees)
        return
    print_table(
        "Payees",
        ("partner", "terms", "verified", "tax form", "screening", "cooling off until",
         "fingerprint"),
        [
            (each.partner_id, *("yes" if getattr(each, flag) else "no" for flag in _STATUSES[:4]),
             each.cooling_off_until, (each.payee_fingerprint or "")[:_FINGERPRINT_SHOWN])
            for each in payees
        ],
    )  # fmt: skip
