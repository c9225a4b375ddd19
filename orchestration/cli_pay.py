"""`partnerledger batches pay|pause|resume`: one pay date at once, and the brake.

What does not belong here: the rules (`payouts.one_click`, `payouts.pausing`), the steps of a whole
pay date (`pay_actions`).
"""

from __future__ import annotations

from collections import Counter
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
    money,
    open_control,
    open_workspace,
    out,
    parse_date,
    print_json,
    print_table,
)
from orchestration.cli_decision_options import (
    PrintMessageOption,
    ReasonOption,
    RoleOption,
    SignatureOption,
    Signing,
    SignOption,
)

if TYPE_CHECKING:
    from orchestration.pay_actions import Payment
    from payouts.one_click import PayPlan, PlannedBatch
    from payouts.pausing import Pause


def add_commands(app: typer.Typer) -> None:
    """Add the commands of this module to `partnerledger batches`."""
    for command in (pay, pause, resume):
        app.command(command.__name__)(command)


def pay(
    pay_date: Annotated[str, typer.Option("--pay-date", metavar="DATE", help="The pay date.")],
    role: RoleOption,
    totals: Annotated[
        list[str] | None,
        typer.Option(
            "--total",
            metavar="AMOUNT",
            help="The total of all these batches, as in '12,345.67 USD'; once per currency.",
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be done, and write nothing.")
    ] = False,
    export: Annotated[
        bool, typer.Option("--export", help="Export what is fully approved then.")
    ] = False,
    sign: SignOption = None,
    home: HomeOption = DEFAULT_HOME,
    program: ProgramOption = None,
    actor: ActorOption = "",
    as_json: JsonOption = False,
) -> None:
    """Approve all batches of a pay date that wait for you, after typing their totals.

    With --export also write the payout files of all that are fully approved. A wrong total records
    nothing.
    """
    day = parse_date(pay_date, "--pay-date")
    if not dry_run and not totals:
        raise typer.BadParameter(
            "type the total of each currency, or look with --dry-run first", param_hint="--total"
        )
    from orchestration.clock import utc_now
    from orchestration.pay_actions import look_at_pay_date, pay_pay_date

    workspace = open_workspace(program)
    arguments = {
        "pay_date": day, "actor": actor_name(actor), "role": role.value, "with_export": export,
        "now": utc_now(),
    }  # fmt: skip
    with open_control(home) as store:
        if dry_run:
            done = look_at_pay_date(store, workspace, home, typed=totals or (), **arguments)
        else:
            done = pay_pay_date(store, workspace, home, typed=totals or (), key=sign, **arguments)
    if as_json:
        print_json(done.as_record())
    else:
        _print_plan("Would be done" if dry_run else "Done", done.plan)
        _print_files(done)
    if done.failures:
        raise CommandError(
            f"{counted(len(done.failures), 'export')} {'would fail' if dry_run else 'failed'}: "
            + "; ".join(f"{batch_id}: {why}" for batch_id, why in done.failures.items()),
            "Nothing was recorded; mend it, then look again."
            if dry_run
            else "Approvals stand; run `partnerledger batches export BATCH` again.",
        )


def pause(
    reason: ReasonOption,
    home: HomeOption = DEFAULT_HOME,
    program: ProgramOption = None,
    actor: ActorOption = "",
    as_json: JsonOption = False,
) -> None:
    """Stop all payouts: nothing is exported until another person resumes them."""
    from orchestration.clock import utc_now
    from payouts.pausing import pause as record_pause
    from payouts.terms import approval_rules

    rules = approval_rules(open_workspace(program))
    with open_control(home) as store:
        begun = record_pause(
            store, reason=reason, actor=actor_name(actor), rules=rules, recorded_at=utc_now()
        )
    _print_pause(begun, "Payouts are paused", as_json)


def resume(
    reason: ReasonOption,
    sign: SignOption = None,
    signature: SignatureOption = None,
    print_message: PrintMessageOption = False,
    home: HomeOption = DEFAULT_HOME,
    program: ProgramOption = None,
    actor: ActorOption = "",
    as_json: JsonOption = False,
) -> None:
    """Let payouts run again; by another person than who paused them."""
    from orchestration.clock import utc_now
    from payouts.pausing import resume as record_resumption
    from payouts.pausing import resume_message
    from payouts.terms import approval_rules

    signing = Signing(sign, signature, print_message)
    rules = approval_rules(open_workspace(program))
    with open_control(home) as store:
        signed = None
        if signing.is_asked:
            with store.read() as connection:
                message = resume_message(connection, actor_name(actor))
            if signing.is_printed(message):
                return
            signed = signing.of(message)
        ended = record_resumption(
            store, reason=reason, actor=actor_name(actor), rules=rules, recorded_at=utc_now(),
            signature=signed,
        )  # fmt: skip
    _print_pause(ended, "Payouts run again", as_json)


def _print_pause(pause: Pause, text: str, as_json: bool) -> None:
    if as_json:
        print_json(pause)
        return
    out().print(f"{text}. Paused since {pause.paused_at} by {pause.paused_by}: {pause.reason}")


def _print_plan(title: str, plan: PayPlan) -> None:
    print_table(
        f"{title}: pay date {plan.pay_date}, {plan.actor} as {plan.role}",
        ("batch", "what", "rail", "partners", "total", "still needs", "look at"),
        [
            (each.batch_id, each.act, each.rail, each.items,
             money(each.total_amount_minor, each.currency_code), _needs(each, plan.role),
             _exceptions(each))
            for each in plan.batches
        ],
        right=("partners", "total"),
        whole=("batch",),
    )  # fmt: skip
    for each in plan.batches:
        if each.reason:
            verb = "goes stale" if each.act == "stale" else "waits"
            out().print(f"{each.batch_id} {verb}: {each.reason}")
    for code, total_minor in plan.totals_minor.items():
        out().print(f"Total {money(total_minor, code)}")


def _needs(batch: PlannedBatch, role: str) -> str:
    """What is missing after the act."""
    missing = dict(batch.missing)
    if batch.act == "approve":
        missing[role] -= 1
    return ", ".join(f"{count} {name}" for name, count in missing.items() if count) or "nothing"


def _exceptions(batch: PlannedBatch) -> str:
    kinds = Counter(exception.kind for exception in batch.exceptions)
    return ", ".join(f"{number} {kind}" for kind, number in kinds.items())


def _print_files(done: Payment) -> None:
    codes = {batch.batch_id: batch.currency_code for batch in done.plan.batches}
    for compared in done.comparisons:
        if compared.last_batch_id is not None:
            code = codes[compared.batch_id]
            out().print(
                f"{compared.batch_id} beside {compared.last_batch_id}: "
                f"{money(compared.last_total_amount_minor, code)} then, "
                f"{money(compared.total_amount_minor, code)} now"
            )
    for exported in done.exports:
        verb = "Exported" if exported.is_new else "Exported before, the same bytes:"
        out().print(f"{verb} {exported.batch_id}: {exported.file_path}")
        out().print(f"sha256 {exported.file_sha256}")
    for preview in done.previews:
        for name, size, sha256 in preview.files:
            out().print(f"Would write {preview.batch_id}/{name}: {size} bytes, sha256 {sha256}")
