"""`partnerledger payee …`: whether a partner may be paid, tax forms, screening, totals of a year.

What does not belong here: payout details and the vault (`cli_payee_details`), and the rules of the
gates (`payouts`).
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from orchestration import cli_payee_details, cli_vault
from orchestration.cli_common import (
    DEFAULT_HOME,
    ActorOption,
    CommandError,
    HomeOption,
    JsonOption,
    ProgramOption,
    actor_name,
    money,
    open_both,
    open_control,
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
    from collections.abc import Sequence

    from payouts.payee_state import Payee
    from payouts.screening import Answer
    from payouts.store import Store

app = typer.Typer(
    help="Whether a partner may be paid: details, tax forms, screening, statuses of the gates.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
PartnerArgument = Annotated[str, typer.Argument(metavar="PARTNER", help="Id of the partner.")]
STATUSES = ("terms_accepted", "payee_verified", "tax_form", "screening", "cooling_off_until")


class TaxForm(StrEnum):
    """Forms that a status is kept of; `none` takes it back."""

    W9 = "w9"
    W8BEN = "w8ben"
    W8BENE = "w8bene"
    NONE = "none"


class Entity(StrEnum):
    """Who signs a form."""

    INDIVIDUAL = "individual"
    BUSINESS = "business"


class Answered(StrEnum):
    """A declaration."""

    YES = "yes"
    NO = "no"


def add_commands(parent: typer.Typer) -> None:
    """Add the group to the command line."""
    cli_payee_details.add_commands(app)
    cli_vault.add_commands(app)
    parent.add_typer(app, name="payee")


@app.command("record")
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
            help="Keyed hash of an account that is kept elsewhere; never its number.",
        ),
    ] = None,
    reason: Annotated[str, typer.Option("--reason", help="Why; kept with the event.")] = "",
    sign: SignOption = None,
    signature: SignatureOption = None,
    print_message: PrintMessageOption = False,
    home: HomeOption = DEFAULT_HOME,
    program: ProgramOption = None,
    actor: ActorOption = "",
    as_json: JsonOption = False,
) -> None:
    """Record by hand what was checked. Statuses only: no document, no account number.

    Anybody may shut a gate; opening one needs a role: partnerships, finance or admin.
    """
    signing = Signing(sign, signature, print_message)
    is_cleared = cooling_off == "none"
    until = None if is_cleared else parse_date(cooling_off, "--cooling-off-until")
    given = (terms_accepted, payee_verified, tax_form, screening, cooling_off, fingerprint)
    if all(status is None for status in given):
        raise typer.BadParameter("give at least one status", param_hint="--terms-accepted …")
    from orchestration.clock import utc_now
    from payouts.payees import payee_changes, record_message, record_payee
    from payouts.terms import approval_rules

    rules, name = approval_rules(open_workspace(program)), actor_name(actor)
    require_partner(home, partner_id)
    changes = {
        "terms_accepted": terms_accepted,
        "payee_verified": payee_verified,
        "tax_form": tax_form,
        "screening": screening,
        "cooling_off_until": until,
        "clear_cooling_off": is_cleared,
        "payee_fingerprint": fingerprint,
    }
    with open_control(home) as store:

        def message() -> str:
            with store.read() as connection:
                return record_message(connection, partner_id, payee_changes(**changes), name)

        is_printed, signed = signing.signed(message)
        if is_printed:
            return
        payee = record_payee(
            store, partner_id, actor=name, recorded_at=utc_now(), rules=rules, reason=reason,
            signature=signed, **changes,
        )  # fmt: skip
    print_payees([payee], as_json)


@app.command("show")
def show_payee(
    partner_id: PartnerArgument, home: HomeOption = DEFAULT_HOME, as_json: JsonOption = False
) -> None:
    """Show the statuses of one partner; nothing recorded counts as not done."""
    from payouts.payees import Payee, load_payees

    with open_control(home) as store, store.read() as connection:
        payee = load_payees(connection).get(partner_id)
    if payee is None:
        require_partner(home, partner_id)
    print_payees([payee or Payee(partner_id)], as_json)


@app.command("list")
def list_payees(home: HomeOption = DEFAULT_HOME, as_json: JsonOption = False) -> None:
    """List everybody about whom something was recorded."""
    from payouts.payees import load_payees

    with open_control(home) as store, store.read() as connection:
        payees = [payee for _, payee in sorted(load_payees(connection).items())]
    print_payees(payees, as_json)


@app.command("tax-form")
def tax_form(
    partner_id: PartnerArgument,
    form_type: Annotated[
        TaxForm, typer.Option("--type", help="The signed form; `none` takes it back.")
    ],
    signed_on: Annotated[
        str | None, typer.Option("--signed-on", metavar="DATE", help="Day of the signature.")
    ] = None,
    entity: Annotated[Entity | None, typer.Option("--entity", help="Who signed it.")] = None,
    services_in_us: Annotated[
        Answered | None,
        typer.Option(
            "--services-in-us",
            help="Whether services are performed in the United States, as declared; W-8 only.",
        ),
    ] = None,
    reason: Annotated[str, typer.Option("--reason", help="Why; kept with the event.")] = "",
    sign: SignOption = None,
    signature: SignatureOption = None,
    print_message: PrintMessageOption = False,
    home: HomeOption = DEFAULT_HOME,
    program: ProgramOption = None,
    actor: ActorOption = "",
    as_json: JsonOption = False,
) -> None:
    """Record which tax form a partner signed. No number of it is kept, and no copy."""
    signing = Signing(sign, signature, print_message)
    day = parse_date(signed_on, "--signed-on")
    if day is None and form_type != TaxForm.NONE:
        raise typer.BadParameter("say when it was signed", param_hint="--signed-on")
    from orchestration.clock import utc_now
    from payouts.tax_forms import record_tax_form, tax_form_message
    from payouts.terms import approval_rules

    rules = approval_rules(open_workspace(program))
    require_partner(home, partner_id)
    now = utc_now()
    form = {
        "form_type": str(form_type),
        "signed_on": day,
        "actor": actor_name(actor),
        "entity": str(entity) if entity else None,
        "services_in_us": None if services_in_us is None else services_in_us == Answered.YES,
        "reason": reason,
    }
    with open_control(home) as store:

        def message() -> str:
            with store.read() as connection:
                return tax_form_message(connection, partner_id, at=now, **form)

        is_printed, signed = signing.signed(message)
        if is_printed:
            return
        payee = record_tax_form(
            store, partner_id, rules=rules, recorded_at=now, signature=signed, **form
        )
    print_payees([payee], as_json)
    if payee.tax_form_valid_until and not as_json:
        out().print(f"The form is valid until {payee.tax_form_valid_until}.")


@app.command("reminders")
def reminders(
    as_of: Annotated[
        str | None, typer.Option("--as-of", metavar="DATE", help="Default: today.")
    ] = None,
    home: HomeOption = DEFAULT_HOME,
    program: ProgramOption = None,
    as_json: JsonOption = False,
) -> None:
    """List tax forms that end within 60 or 30 days, or have ended."""
    day = parse_date(as_of, "--as-of")
    from orchestration.cli_onboarding import local_today
    from payouts import tax_forms
    from payouts.payees import load_payees

    day = day or local_today(open_workspace(program))
    with open_control(home) as store, store.read() as connection:
        due = tax_forms.reminders(load_payees(connection).values(), day)
    if as_json:
        print_json(due)
        return
    print_table(
        f"Tax forms to renew, as of {day}",
        ("partner", "form", "valid until", "days left", "reminder"),
        [
            (each.partner_id, each.form_type, each.valid_until, each.days_left,
             f"{each.stage_days} days" if each.stage_days else "has ended")
            for each in due
        ],
        right=("days left",),
    )  # fmt: skip


@app.command("screen")
def screen(
    partner_id: Annotated[
        str | None, typer.Argument(metavar="PARTNER", help="Id of the partner.")
    ] = None,
    is_all: Annotated[bool, typer.Option("--all", help="Every active partner.")] = False,
    home: HomeOption = DEFAULT_HOME,
    actor: ActorOption = "",
    as_json: JsonOption = False,
) -> None:
    """Ask the operator's screening program; anything but clear shuts the gate."""
    if is_all == (partner_id is not None):
        raise typer.BadParameter("name one partner, or --all", param_hint="PARTNER")
    from payouts.screening import COMMAND_VARIABLE, configured_command

    command = configured_command()
    if command is None:
        raise CommandError(
            f"{COMMAND_VARIABLE} names no screening program",
            "Set it, or let somebody with a role record what was checked: "
            "`payee record PARTNER --screening`.",
        )
    with open_both(home) as (published, store):
        partners = query(published, "select partner_id, name, status from marts.dim_partners")
        names = {row["partner_id"]: row["name"] for row in partners}
        active = [row["partner_id"] for row in partners if row["status"] == "active"]
        if partner_id is not None and partner_id not in names:
            raise unknown_partner(partner_id)
        wanted = active if partner_id is None else [partner_id]
        answers = screen_partners(store, home, wanted, names, command, actor_name(actor))
    if as_json:
        print_json(answers)
        return
    print_answers(answers)


@app.command("totals")
def totals(
    year: Annotated[
        int, typer.Option("--year", min=1970, max=2199, help="Calendar year of the payments.")
    ],
    home: HomeOption = DEFAULT_HOME,
    program: ProgramOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what was paid to each partner in a year, by day of payment, beside the thresholds."""
    from payouts.year_totals import year_totals

    timezone = open_workspace(program).program.program.timezone
    with open_control(home) as store, store.read() as connection:
        found = year_totals(connection, year, timezone)
    if as_json:
        print_json(found)
        return
    print_table(
        f"Paid in {year}",
        ("partner", "legal entity", "reported by", "rails", "payments", "paid", "form",
         "threshold", "reached"),
        [
            (each.partner_id, each.legal_entity, each.reporting,
             ", ".join(rail.rail for rail in each.rails), each.payments,
             money(each.amount_minor, each.currency_code), each.form,
             money(each.threshold_minor, each.currency_code), "yes" if each.is_reached else "")
            for each in found
        ],
        right=("payments", "paid", "threshold"),
    )  # fmt: skip
    for each in found:
        if each.uncompared_form is not None:
            out().print(
                f"Not compared: {money(each.amount_minor, each.currency_code)} to "
                f"{each.partner_id}. {each.uncompared_form} has its threshold in another currency, "
                "and nothing is converted: ask your adviser (decision 0047)"
            )


@app.command("erase")
def erase(
    partner_id: PartnerArgument,
    reason: Annotated[str, typer.Option("--reason", help="Why; kept with the event.")],
    home: HomeOption = DEFAULT_HOME,
    program: ProgramOption = None,
    actor: ActorOption = "",
    as_json: JsonOption = False,
) -> None:
    """Shred a partner's payout details in the vault. What was decided and paid stays recorded."""
    from orchestration.clock import utc_now
    from payouts.payee_details import erase_details
    from payouts.terms import approval_rules
    from payouts.vault import open_vault

    rules = approval_rules(open_workspace(program))
    with open_control(home) as store:
        ids = erase_details(
            store,
            open_vault(home),
            partner_id,
            reason=reason,
            actor=actor_name(actor),
            rules=rules,
            recorded_at=utc_now(),
        )
    if as_json:
        print_json({"partner_id": partner_id, "details_ids": ids})
        return
    out().print(
        f"The payout details of {partner_id} are erased: {', '.join(ids) or 'none were left'}. "
        "Backups of the vault still hold them until they are deleted."
    )


def screen_partners(
    store: Store,
    home: Path,
    partner_ids: Sequence[str],
    names: dict[str, str],
    command: Sequence[str],
    actor: str,
) -> list[Answer]:
    """Screen partners by the holder of their account where the vault's key is at hand."""
    from orchestration.clock import utc_now
    from payouts.screening import check_all
    from payouts.vault import open_vault
    from payouts.vault_keys import vault_keys_text

    return check_all(
        store,
        partner_ids,
        command=command,
        names=names,
        recorded_at=utc_now(),
        vault=open_vault(home) if vault_keys_text() else None,
        actor=actor,
    )


def print_answers(answers: Sequence[Answer]) -> None:
    """What the screening program answered, as a table."""
    print_table(
        "Screening",
        ("partner", "result", "list", "why no answer"),
        [(each.partner_id, each.result, each.list_version, each.fault) for each in answers],
    )


def print_payees(payees: Sequence[Payee], as_json: bool) -> None:
    """Statuses of payees, as JSON records or as a table."""
    if as_json:
        print_json(payees)
        return
    print_table(
        "Payees",
        ("partner", "terms", "verified", "tax form", "screening", "cooling off until", "paid to",
         "fingerprint"),
        [
            (each.partner_id, *("yes" if getattr(each, flag) else "no" for flag in STATUSES[:4]),
             each.cooling_off_until, f"{each.rail} …{each.last_four}" if each.details_id else "",
             (each.payee_fingerprint or "")[:cli_payee_details.FINGERPRINT_SHOWN])
            for each in payees
        ],
    )  # fmt: skip
