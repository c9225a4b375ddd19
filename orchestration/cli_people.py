"""`partner`: partners, their money and their terms; onboarding and payees beside it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from orchestration import cli_onboarding, cli_payees
from orchestration.cli_common import (
    DEFAULT_HOME,
    CommandError,
    HomeOption,
    JsonOption,
    ProgramOption,
    money,
    open_control,
    open_published,
    open_workspace,
    out,
    print_json,
    print_table,
    query,
    unknown_partner,
)
from orchestration.cli_payees import STATUSES, PartnerArgument, print_payees

partner_app = typer.Typer(
    help="Partners and their balances.", no_args_is_help=True, rich_markup_mode=None
)


def add_commands(app: typer.Typer) -> None:
    """Add `payee` and `partner` to the command line."""
    cli_payees.add_commands(app)
    cli_onboarding.add_commands(partner_app)
    app.add_typer(partner_app, name="partner")


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
        "payee": {status: getattr(payee, status) for status in STATUSES},
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
    print_payees([payee], as_json=False)
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
