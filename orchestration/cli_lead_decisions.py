"""`partnerledger lead …`: what people enter and decide about leads; each an event.

What does not belong here: the rules of deciding (`payouts.registrations`), rulings (`cli_rules`),
requests and messages (`cli_lead_updates`) and reading (`cli_leads`).
"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
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
    minute,
    open_both,
    open_control,
    open_workspace,
    out,
    parse_instant,
    print_json,
    program_timezone,
    require_partner,
    require_role,
)

if TYPE_CHECKING:
    from orchestration.lead_subjects import RegistrationSubject
    from program.load import Workspace

RegistrationArgument = Annotated[
    str,
    typer.Argument(
        metavar="REG", help="Key that `lead list --submissions` shows, or the bare reg_ id."
    ),
]
ReasonOption = Annotated[str, typer.Option("--reason", help="Why; kept with the decision.")]
PartnerOption = Annotated[
    str, typer.Option("--partner", metavar="PARTNER", help="Whose lead it is.")
]
EmailOption = Annotated[str | None, typer.Option("--email", help="The prospect's address.")]
DomainOption = Annotated[
    str | None, typer.Option("--company-domain", metavar="DOMAIN", help="The prospect's company.")
]
DealOption = Annotated[
    str | None, typer.Option("--deal-id", metavar="DEAL", help="The deal in the CRM.")
]
AmountOption = Annotated[
    str | None,
    typer.Option("--expected-amount", metavar="AMOUNT", help="In major units: 1200.00."),
]
CurrencyOption = Annotated[
    str | None, typer.Option("--currency", metavar="CODE", help="Of the expected amount.")
]
SubmittedOption = Annotated[
    str | None,
    typer.Option(
        "--submitted-at",
        metavar="INSTANT",
        help="When the partner named the prospect; default: now. A bare date is local midnight.",
    ),
]
NoteOption = Annotated[
    str, typer.Option("--reason", help="Where it comes from; kept as an internal message.")
]
_NEXT_NIGHT = "It counts from the next night on."
_STAFF = "staff"


def add_decisions(app: typer.Typer) -> None:
    """Add the commands of this module to `partnerledger lead`."""
    for command in (register, enter, approve, decline, withdraw, extend):
        app.command(command.__name__)(command)


def register(
    partner: PartnerOption,
    email: EmailOption = None,
    company_domain: DomainOption = None,
    deal_id: DealOption = None,
    expected_amount: AmountOption = None,
    currency: CurrencyOption = None,
    submitted_at: SubmittedOption = None,
    reason: NoteOption = "",
    home: HomeOption = DEFAULT_HOME,
    program: ProgramOption = None,
    actor: ActorOption = "",
    as_json: JsonOption = False,
) -> None:
    """Enter a partner's deal registration.

    It waits, and protects nothing, until another person approves it.
    """
    key = _submit(
        "deal_registrations", partner, (email, company_domain, deal_id),
        (expected_amount, currency), submitted_at, reason, home, program, actor, as_json,
    )  # fmt: skip
    if not as_json:
        out().print(
            f"Registered {key}: pending until another person approves it:\n"
            f"  partnerledger lead approve {key} --reason … --as EMAIL"
        )


def enter(
    partner: PartnerOption,
    email: EmailOption = None,
    company_domain: DomainOption = None,
    deal_id: DealOption = None,
    expected_amount: AmountOption = None,
    currency: CurrencyOption = None,
    submitted_at: SubmittedOption = None,
    reason: NoteOption = "",
    home: HomeOption = DEFAULT_HOME,
    program: ProgramOption = None,
    actor: ActorOption = "",
    as_json: JsonOption = False,
) -> None:
    """Enter a lead that a partner brought.

    It is judged as a form is, without an approval.
    """
    key = _submit(
        "lead_entries", partner, (email, company_domain, deal_id), (expected_amount, currency),
        submitted_at, reason, home, program, actor, as_json,
    )  # fmt: skip
    if not as_json:
        out().print(f"Entered {key}. {_NEXT_NIGHT}")


def approve(
    registration: RegistrationArgument,
    reason: ReasonOption,
    expires_at: Annotated[
        str | None,
        typer.Option(
            "--expires-at",
            metavar="INSTANT",
            help="End of the protection, excluded; default: as the terms say.",
        ),
    ] = None,
    home: HomeOption = DEFAULT_HOME,
    program: ProgramOption = None,
    actor: ActorOption = "",
    as_json: JsonOption = False,
) -> None:
    """Approve a registration. Four eyes: not by who entered it."""
    _decide(
        "approved", registration, reason, home, program, actor, as_json,
        end=(expires_at, "--expires-at"),
    )  # fmt: skip


def decline(
    registration: RegistrationArgument,
    reason: ReasonOption,
    home: HomeOption = DEFAULT_HOME,
    program: ProgramOption = None,
    actor: ActorOption = "",
    as_json: JsonOption = False,
) -> None:
    """Decline a registration or an entered lead. Its touch does not compete."""
    _decide("declined", registration, reason, home, program, actor, as_json)


def withdraw(
    registration: RegistrationArgument,
    reason: ReasonOption,
    home: HomeOption = DEFAULT_HOME,
    program: ProgramOption = None,
    actor: ActorOption = "",
    as_json: JsonOption = False,
) -> None:
    """Withdraw a registration or an entered lead. That is final."""
    _decide("withdrawn", registration, reason, home, program, actor, as_json)


def extend(
    registration: RegistrationArgument,
    until: Annotated[
        str, typer.Option("--until", metavar="INSTANT", help="New end, excluded; a later one.")
    ],
    evidence: Annotated[str, typer.Option("--evidence", help="Reference to what justifies it.")],
    reason: ReasonOption,
    home: HomeOption = DEFAULT_HOME,
    program: ProgramOption = None,
    actor: ActorOption = "",
    as_json: JsonOption = False,
) -> None:
    """Let an approved registration protect for longer."""
    _decide(
        "extended", registration, reason, home, program, actor, as_json,
        end=(until, "--until"), evidence=evidence,
    )  # fmt: skip


def _submit(
    entity: str,
    partner: str,
    prospect: tuple[str | None, str | None, str | None],
    expected: tuple[str | None, str | None],
    submitted_at: str | None,
    note: str,
    home: Path,
    program: Path | None,
    actor: str,
    as_json: bool,
) -> str:
    """Enter it and return its key; the note becomes a message about it."""
    email, company_domain, deal_id = prospect
    if not any(prospect):
        raise typer.BadParameter(
            "name the prospect", param_hint="--email, --company-domain or --deal-id"
        )
    amount_minor, currency = _expected(*expected)
    from orchestration.clock import utc_now
    from payouts.lead_updates import post_message
    from payouts.registrations import submit_registration
    from payouts.texts import MESSAGE_CHARACTERS, optional_written

    require_role(program, actor_name(actor), "enter a lead")
    # Refused before anything is recorded.
    optional_written(note, "the reason", MESSAGE_CHARACTERS)
    now = utc_now()
    named_at = parse_instant(submitted_at, "--submitted-at", program_timezone(program)) or now
    require_partner(home, partner)
    with open_control(home) as store:
        entered = submit_registration(
            store, entity=entity, partner_id=partner, submitted_at=named_at, email=email,
            company_domain=company_domain, deal_id=deal_id, expected_amount_minor=amount_minor,
            currency_code=currency, actor=actor_name(actor), recorded_at=now,
        )  # fmt: skip
        if note.strip():
            post_message(
                store, subject_type="registration", subject_id=entered.key, text=note,
                author_role=_STAFF, actor=actor_name(actor), recorded_at=now,
            )  # fmt: skip
    if as_json:
        # Without the address: records on a screen or in a log must not spread it.
        record = {name: value for name, value in vars(entered).items() if name != "email"}
        print_json({"registration_key": entered.key, **record})
    return entered.key


def _decide(
    decision: str,
    reference: str,
    reason: str,
    home: Path,
    program: Path | None,
    actor: str,
    as_json: bool,
    end: tuple[str | None, str] = (None, ""),
    evidence: str | None = None,
) -> None:
    from orchestration.clock import utc_now
    from orchestration.lead_subjects import require_registration
    from payouts.registrations import decide_registration
    from payouts.terms import approval_rules

    workspace = open_workspace(program)
    expires_at = parse_instant(*end, workspace.program.program.timezone)
    with open_both(home) as (published, store):
        with store.read() as connection:
            found = require_registration(published, connection, reference)
        _refuse_needless(decision, found)
        decided = decide_registration(
            store, registration_key=found.key, decision=decision, reason=reason,
            actor=actor_name(actor), rules=approval_rules(workspace), recorded_at=utc_now(),
            expires_at=expires_at, evidence=evidence, delivered=found.delivered,
            protection_days=_protection_days(workspace),
        )  # fmt: skip
    if as_json:
        print_json(decided)
        return
    until = f" until {minute(expires_at)} UTC" if expires_at else ""
    out().print(f"{found.key} is {decision}{until}. {_NEXT_NIGHT}")


def _protection_days(workspace: Workspace) -> int:
    """The longest protection that any version of the terms gives: an extension goes beyond it."""
    return max(version.protection_days for version in workspace.program.lead)


def _refuse_needless(decision: str, found: RegistrationSubject) -> None:
    if found.entity == "lead_entries" and decision in ("approved", "extended"):
        raise CommandError(
            f"{found.key} is an entered lead: it counts without an approval and has no end of its "
            "own",
            "It can be declined or withdrawn.",
        )


def _expected(amount: str | None, currency: str | None) -> tuple[int | None, str | None]:
    """The expected amount in minor units of its currency. Raises: BadParameter, CurrencyError."""
    if (amount is None) != (currency is None):
        raise typer.BadParameter("give both or neither", param_hint="--expected-amount, --currency")
    if amount is None or currency is None:
        return None, None
    from program.currencies import to_minor

    try:
        major = Decimal(amount)
    except InvalidOperation:
        raise typer.BadParameter(
            f"{amount!r} is no amount; write it like 1200.00", param_hint="--expected-amount"
        ) from None
    return to_minor(major, currency), currency
