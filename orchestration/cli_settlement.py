"""`partnerledger batches settle|acknowledge|abort|match`: what became of exported batches.

What does not belong here: reading files and deciding on their lines (`payouts.settlement`).
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
    money,
    open_control,
    open_workspace,
    out,
    print_json,
    print_table,
)
from orchestration.cli_decision_options import (
    BatchArgument,
    PrintMessageOption,
    ReasonOption,
    SignatureOption,
    Signing,
    SignOption,
)

if TYPE_CHECKING:
    from payouts.matching import BatchMatch
    from payouts.settlement.applying import SettleResult

_SHOWN_DISCREPANCIES = 20


def add_settlement(app: typer.Typer) -> None:
    """Add the commands of this module to `partnerledger batches`."""
    for command in (settle, acknowledge, abort, match):
        app.command(command.__name__)(command)


def settle(
    batch_id: Annotated[
        str | None,
        typer.Argument(metavar="BATCH", help="Only this batch; needed with --sent."),
    ] = None,
    file: Annotated[
        Path | None,
        typer.Option("--file", metavar="FILE", help="File of a bank or provider.", dir_okay=False),
    ] = None,
    file_format: Annotated[
        str | None,
        typer.Option("--format", metavar="FORMAT", help="Default: known by its content."),
    ] = None,
    sent: Annotated[
        str | None,
        typer.Option(
            "--sent", metavar="REFERENCE", help="The bank took the batch's file; its reference."
        ),
    ] = None,
    home: HomeOption = DEFAULT_HOME,
    program: ProgramOption = None,
    actor: ActorOption = "",
    as_json: JsonOption = False,
) -> None:
    """Record what the bank did: read its file, or confirm that it took a batch. Needs finance."""
    if (file is None) == (sent is None):
        raise typer.BadParameter("give either --file or --sent", param_hint="--file")
    if sent is not None:
        _confirm_sent(batch_id, sent, home, program, actor, as_json)
        return
    from orchestration.clock import utc_now
    from payouts.settlement.applying import settle as apply_file
    from payouts.settlement.reading import FORMATS
    from payouts.terms import approval_rules

    if file_format is not None and file_format not in FORMATS:
        raise typer.BadParameter(f"one of {', '.join(FORMATS)}", param_hint="--format")
    workspace = open_workspace(program)
    content = _content(file)
    with open_control(home) as store:
        result = apply_file(
            store,
            home,
            content,
            file.name,
            actor=actor_name(actor),
            rules=approval_rules(workspace),
            timezone=workspace.program.program.timezone,
            read_at=utc_now(),
            file_format=file_format,
            only_batch=batch_id,
        )
    if as_json:
        print_json(settle_record(result))
    else:
        _print_settled(result, file.name)


def acknowledge(
    settlement: Annotated[
        str,
        typer.Argument(metavar="SETTLEMENT", help="The file, as settle and match name it."),
    ],
    lines: Annotated[list[int], typer.Argument(metavar="LINE...", help="Open lines of it.", min=1)],
    reason: ReasonOption,
    home: HomeOption = DEFAULT_HOME,
    program: ProgramOption = None,
    actor: ActorOption = "",
    as_json: JsonOption = False,
) -> None:
    """Clear up lines of a bank's file that no other file will explain. It moves nothing."""
    from orchestration.clock import utc_now
    from payouts.settlement.open_lines import acknowledge_lines
    from payouts.terms import approval_rules

    rules = approval_rules(open_workspace(program))
    with open_control(home) as store:
        found = acknowledge_lines(
            store, settlement, lines, reason=reason, actor=actor_name(actor), rules=rules,
            recorded_at=utc_now(),
        )  # fmt: skip
    if as_json:
        print_json([vars(line) for line in found])
        return
    for line in found:
        out().print(f"Line {line.line} is acknowledged ({line.kind}): {line.detail}")


def abort(
    batch_id: BatchArgument,
    reason: ReasonOption,
    evidence: Annotated[
        str,
        typer.Option("--evidence", help="Reference to what proves that the bank never took it."),
    ],
    sign: SignOption = None,
    signature: SignatureOption = None,
    print_message: PrintMessageOption = False,
    home: HomeOption = DEFAULT_HOME,
    program: ProgramOption = None,
    actor: ActorOption = "",
    as_json: JsonOption = False,
) -> None:
    """Take back an exported batch that was never uploaded: one person asks, another agrees."""
    signing = Signing(sign, signature, print_message)
    from orchestration.clock import utc_now
    from payouts.aborting import abort as agree
    from payouts.aborting import abort_message, asks_first, request_abort
    from payouts.records import load_state
    from payouts.states import ABORTED
    from payouts.terms import approval_rules

    workspace = open_workspace(program)
    name = actor_name(actor)
    decision = {
        "reason": reason,
        "evidence": evidence,
        "actor": name,
        "rules": approval_rules(workspace),
        "recorded_at": utc_now(),
    }
    with open_control(home) as store:
        with store.read() as connection:
            before = load_state(connection, batch_id)
        is_printed, decision["signature"] = signing.signed(
            lambda: abort_message(before, evidence=evidence, actor=name)
        )
        if is_printed:
            return
        # Aborted already: whoever calls again finishes what a crash left.
        if asks_first(before, name) and before.state != ABORTED:
            state = request_abort(store, batch_id, **decision)
            _print_requested(batch_id, state.state, name, as_json)
            return
        timezone = workspace.program.program.timezone
        result = agree(store, home, batch_id, timezone=timezone, **decision)
    if as_json:
        print_json(result)
        return
    total = money(result.returned_amount_minor, result.currency_code)
    out().print(
        f"Batch {batch_id} is aborted: {total} of {counted(result.items, 'payout')} are back on "
        "the balances, and the next batch can take them."
    )
    for path in result.removed_files:
        out().print(f"Removed {home / path}; its manifest stays.")


def match(
    batch_id: BatchArgument, home: HomeOption = DEFAULT_HOME, as_json: JsonOption = False
) -> None:
    """Match a batch three ways: what was earned, what was ordered, what the bank did."""
    from orchestration.clock import utc_now
    from payouts.matching import match_batch

    with open_control(home) as store, store.read() as connection:
        found = match_batch(connection, home, batch_id, utc_now().date())
    if as_json:
        print_json(match_record(found))
    else:
        _print_match(found)


def settle_record(result: SettleResult) -> dict[str, Any]:
    """What a file changed, for --json."""
    return {
        **vars(result),
        "discrepancies": [vars(each) for each in result.discrepancies],
        "batches": [vars(each) for each in result.batches],
    }


def match_record(found: BatchMatch) -> dict[str, Any]:
    """A match for --json."""
    return {
        **vars(found),
        "bank_days": [vars(day) for day in found.bank_days],
        "open_payouts": [vars(payout) for payout in found.open_payouts],
        "is_matched": found.is_matched,
    }


def _content(file: Path) -> bytes:
    """The bytes of a file that is not larger than any bank's. Raises: CommandError."""
    from payouts.settlement.reading import MAXIMUM_BYTES

    try:
        if file.stat().st_size > MAXIMUM_BYTES:
            raise CommandError(
                f"{file} has more than {MAXIMUM_BYTES} bytes; nothing was applied",
                "Ask for one file per day, or split it.",
            )
        return file.read_bytes()
    except OSError as error:
        raise CommandError(
            f"{file} cannot be read: {error.strerror}; nothing was applied", "Name another file."
        ) from error


def _confirm_sent(
    batch_id: str | None,
    reference: str,
    home: Path,
    program: Path | None,
    actor: str,
    as_json: bool,
) -> None:
    from orchestration.clock import utc_now
    from payouts.settlement.applying import confirm_sent
    from payouts.terms import approval_rules

    if batch_id is None:
        raise typer.BadParameter("name the batch whose file the bank took", param_hint="BATCH")
    rules = approval_rules(open_workspace(program))
    with open_control(home) as store:
        state = confirm_sent(
            store, batch_id, reference=reference, actor=actor_name(actor), rules=rules,
            recorded_at=utc_now(),
        )  # fmt: skip
    if as_json:
        print_json({"batch_id": batch_id, "state": state})
    else:
        out().print(f"Batch {batch_id} is {state}; read the bank's files with --file.")


def _print_settled(result: SettleResult, file_name: str) -> None:
    console = out()
    again = "" if result.is_new else ", read before"
    console.print(f"{file_name}: {result.file_format}, {counted(result.lines, 'line')}{again}")
    said = ", ".join(f"{count} {name}" for name, count in result.outcomes.items()) or "nothing new"
    console.print(
        f"Applied: {said}. Known already: {result.known}. About other things: {result.unrelated}."
    )
    for currency_code, amount_minor in result.returned_amount_minor.items():
        console.print(f"Back on balances: {money(amount_minor, currency_code)}")
    for batch in result.batches:
        left = (
            f"{counted(batch.open_payouts, 'payout')} open" if batch.open_payouts else "all ended"
        )
        console.print(f"Batch {batch.batch_id} is {batch.state}, {left}")
    if result.asked_partners:
        console.print(
            f"Check the payout details of: {', '.join(result.asked_partners)}; a partner whose "
            "payment came back is not paid again before."
        )
    for batch_id in result.stale_batches:
        console.print(f"Batch {batch_id} would have paid them and is stale; propose again.")
    _print_discrepancies(
        [vars(each) for each in result.discrepancies],
        f"Not applied, look at these (file {result.settlement_id})",
    )


def _print_discrepancies(found: list[dict[str, Any]], title: str) -> None:
    if not found:
        return
    print_table(
        title,
        ("line", "what", "payout", "why"),
        [
            (each["line"], each["kind"], each["payout_id"], each["detail"])
            for each in found[:_SHOWN_DISCREPANCIES]
        ],
        right=("line",),
    )
    if len(found) > _SHOWN_DISCREPANCIES:
        out().print(f"{len(found) - _SHOWN_DISCREPANCIES} more: --json shows all.")


def _print_requested(batch_id: str, state: str, name: str, as_json: bool) -> None:
    if as_json:
        print_json({"batch_id": batch_id, "state": state, "abort_requested_by": name})
        return
    out().print(
        f"{name} asks to abort batch {batch_id}; nothing has changed yet. Somebody else of "
        "partnerships or finance agrees:\n"
        f"  partnerledger batches abort {batch_id} --reason … --evidence … --as EMAIL"
    )


def _print_match(found: BatchMatch) -> None:
    code = found.currency_code
    console = out()
    verdict = "matched to the cent" if found.is_matched else "not matched yet"
    console.print(f"Batch {found.batch_id} is {found.state}, {verdict}")
    rows: list[tuple[str, int]] = [
        (f"earned: {kind}", amount) for kind, amount in found.earned_amount_minor.items()
    ]
    rows += [
        ("earned", found.earned_total_minor),
        ("batch", found.batch_total_minor),
        ("payout files", found.files_total_minor),
        ("settled", found.settled_amount_minor),
        ("failed", found.failed_amount_minor),
        ("returned", found.returned_amount_minor),
        ("aborted", found.aborted_amount_minor),
        ("open", found.open_amount_minor),
        ("bank, net of returns", found.bank_total_minor),
        ("left over: earned - batch", found.earned_residual_minor),
        ("left over: files - batch", found.files_residual_minor),
        ("left over: outcomes - batch", found.outcomes_residual_minor),
        ("left over: bank - settled", found.bank_residual_minor),
    ]
    print_table(
        "Three-way match", ("", "amount"), [(name, money(amount, code)) for name, amount in rows],
        right=("amount",),
    )  # fmt: skip
    print_table(
        "Bank by value date",
        ("value date", "debited", "came back"),
        [
            (day.value_date or "not named", money(day.debited_amount_minor, code),
             money(day.returned_amount_minor, code))
            for day in found.bank_days
        ],
        right=("debited", "came back"),
    )  # fmt: skip
    print_table(
        "Open payouts",
        ("payout", "partner", "amount", "state", "days since export"),
        [
            (each.payout_id, each.partner_id, money(each.amount_minor, code), each.state,
             each.clearing_age_days)
            for each in found.open_payouts
        ],
        right=("amount", "days since export"),
        whole=("payout",),
    )  # fmt: skip
    for reason in found.reasons:
        console.print(f"- {reason}")
