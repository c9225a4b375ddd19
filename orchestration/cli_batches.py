"""`partnerledger batches …`: propose, list, show, export.

What does not belong here: deciding on a batch (`cli_decisions`) and the rules (`payouts`).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from orchestration.cli_common import (
    DEFAULT_HOME,
    ActorOption,
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
from orchestration.cli_decisions import BatchArgument, add_decisions
from orchestration.cli_options import AsKnownOption
from orchestration.cli_pack import add_pack
from orchestration.cli_records import batch_detail_record
from orchestration.cli_settlement import add_settlement

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from payouts.comparison import Comparison
    from payouts.events import Event
    from payouts.export_preview import ExportPreview
    from payouts.records import BatchSummary

_SHOWN_DIFFERENCES = 10

app = typer.Typer(
    help="Payout batches: propose, show, approve, hold, export.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.command("propose")
def propose(
    pay_date: Annotated[
        str | None,
        typer.Option("--pay-date", metavar="DATE", help="One pay date; default: all that are due."),
    ] = None,
    home: HomeOption = DEFAULT_HOME,
    program: ProgramOption = None,
    actor: ActorOption = "",
    as_json: JsonOption = False,
) -> None:
    """Propose the batches that are due, from the published night."""
    day = parse_date(pay_date, "--pay-date")
    from orchestration.batch_actions import propose_batches
    from orchestration.clock import utc_now

    workspace = open_workspace(program)
    with open_control(home) as store:
        batches = propose_batches(
            store,
            workspace,
            home,
            pay_date=day,
            actor=actor_name(actor),
            proposed_at=utc_now(),
        )
    if as_json:
        print_json(batches)
    elif batches:
        _print_batches("Proposed", batches)
    else:
        out().print(
            "Proposed nothing: what was available by that cut-off is claimed, held or left out."
            if day
            else "Proposed nothing: no new cut-off is due. --pay-date tries an earlier one again."
        )


@app.command("list")
def list_all(
    state: Annotated[
        str | None, typer.Option("--state", help="Only batches in this state.")
    ] = None,
    as_known: AsKnownOption = None,
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
) -> None:
    """List all batches, newest cut-off first; with --as-known as they stood then."""
    from payouts.records import list_batches
    from payouts.states import STATES

    if state is not None and state not in STATES:
        raise typer.BadParameter(f"one of {', '.join(STATES)}", param_hint="--state")
    with open_control(home) as store, store.read() as connection:
        if as_known is None:
            batches = list_batches(connection, None if state is None else [state])
        else:
            batches = _known_batches(connection, home, as_known, state)
    if as_json:
        print_json(batches)
    else:
        _print_batches("Batches", batches)


@app.command("show")
def show(
    batch_id: BatchArgument,
    as_known: AsKnownOption = None,
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
) -> None:
    """Show one batch: items, who was left out, its hash, everything decided about it.

    With --as-known: its state then, and what had been decided.
    """
    from orchestration.known import known_at
    from orchestration.known_batches import show_known
    from orchestration.known_partner import home_timezone
    from payouts.comparison import compare_with_last
    from payouts.records import show as load_detail

    with open_control(home) as store, store.read() as connection:
        compared = None
        if as_known is None:
            detail = load_detail(connection, batch_id)
            compared = compare_with_last(connection, batch_id)
        else:
            known = known_at(connection, as_known, home_timezone(home))
            detail = show_known(connection, batch_id, known)
    if as_json:
        print_json({**batch_detail_record(detail), "comparison": compared})
        return
    summary, state = detail.summary, detail.state
    console = out()
    total = money(summary.total_amount_minor, summary.currency_code)
    console.print(
        f"Batch {batch_id}: {state.state}\n"
        f"{summary.legal_entity} pays {total} to {counted(summary.items, 'partner')} by "
        f"{summary.rail} on {summary.pay_date}\n"
        f"cut-off {summary.cutoff_date}, as of {summary.as_of}\n"
        f"hash {summary.content_hash}\n"
    )
    print_table(
        "Look at these first",
        ("what", "partner", "amount", ""),
        [
            (each.kind.replace("_", " "), each.partner_id or "",
             money(each.amount_minor, summary.currency_code), each.detail)
            for each in detail.exceptions
        ],
        right=("amount",),
    )  # fmt: skip
    if compared is not None:
        _print_comparison(compared, summary.currency_code)
    print_table(
        "Items",
        ("partner", "", "amount", "entries", "payout"),
        [
            (item.partner_id, item.partner_name, money(item.amount_minor, summary.currency_code),
             item.entries, item.payout_id)
            for item in detail.items
        ],
        right=("amount", "entries"),
    )  # fmt: skip
    print_table(
        "Left out",
        ("partner", "net", "reason"),
        [
            (left.partner_id, money(left.amount_minor, left.currency_code), left.reason)
            for left in detail.left_out
        ],
        right=("net",),
    )
    print_table(
        "Decisions",
        ("at (UTC)", "what", "who", "identity", "reason"),
        [
            (event.recorded_at, _event_text(event), event.actor, event.identity_level, event.reason)
            for event in detail.events
        ],
    )


@app.command("export")
def export(
    batch_id: BatchArgument,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Render and check the files, and write nothing.")
    ] = False,
    home: HomeOption = DEFAULT_HOME,
    program: ProgramOption = None,
    actor: ActorOption = "",
    as_json: JsonOption = False,
) -> None:
    """Write the payout files and manifest of an approved batch; again: the same bytes."""
    from orchestration.batch_actions import export_approved, preview_approved
    from orchestration.clock import utc_now

    workspace = open_workspace(program)
    with open_control(home) as store:
        if dry_run:
            preview = preview_approved(store, workspace, home, batch_id, exported_at=utc_now())
            _print_preview(preview, as_json)
            return
        exported = export_approved(
            store,
            workspace,
            home,
            batch_id,
            exported_at=utc_now(),
            actor=actor_name(actor),
        )
    if as_json:
        print_json(exported)
        return
    total = money(exported.total_amount_minor, exported.currency_code)
    verb = "Exported" if exported.is_new else "Already exported, the same bytes:"
    out().print(
        f"{verb} {counted(exported.items, 'payout')}, {total}\n"
        + "\n".join(f"file     {path}" for path in exported.files)
        + f"\nsha256   {exported.file_sha256}\nmanifest {exported.manifest_path}"
    )


def _print_preview(preview: ExportPreview, as_json: bool) -> None:
    if as_json:
        print_json(preview)
        return
    total = money(preview.total_amount_minor, preview.currency_code)
    out().print(
        f"Would export {counted(preview.items, 'payout')}, {total}, to be paid on "
        f"{preview.execution_date}. Nothing was written."
    )
    print_table("Files", ("file", "bytes", "sha256"), list(preview.files), right=("bytes",))


def _print_comparison(compared: Comparison, currency_code: str) -> None:
    if compared.last_batch_id is None:
        out().print("Nothing was paid this way before: there is no batch to compare with.\n")
        return
    moved = [partner for partner in compared.partners if partner.difference_minor]
    out().print(
        f"Beside {compared.last_batch_id}: "
        f"{money(compared.last_total_amount_minor, currency_code)} then, "
        f"{money(compared.total_amount_minor, currency_code)} now; {compared.count('new')} new, "
        f"{compared.count('gone')} gone, {compared.count('changed')} changed, "
        f"{compared.count('same')} the same\n"
    )
    print_table(
        "Largest differences",
        ("partner", "", "then", "now", "difference"),
        [
            (each.partner_id, each.change, money(each.last_amount_minor, currency_code),
             money(each.amount_minor, currency_code), money(each.difference_minor, currency_code))
            for each in moved[:_SHOWN_DIFFERENCES]
        ],
        right=("then", "now", "difference"),
    )  # fmt: skip


def _known_batches(
    connection: Connection, home: Path, as_known: str, state: str | None
) -> list[BatchSummary]:
    from orchestration.known import known_at
    from orchestration.known_batches import known_batches
    from orchestration.known_partner import home_timezone

    known = known_at(connection, as_known, home_timezone(home))
    return [
        batch.summary
        for batch in known_batches(connection, known)
        if state in (None, batch.summary.state)
    ]


def _print_batches(title: str, batches: list[BatchSummary]) -> None:
    print_table(
        title,
        ("batch", "state", "pays on", "cut-off", "partners", "total", "hash"),
        [
            (each.batch_id, each.state, each.pay_date, each.cutoff_date, each.items,
             money(each.total_amount_minor, each.currency_code), each.content_hash[:16])
            for each in batches
        ],
        right=("partners", "total"),
    )  # fmt: skip


def _event_text(event: Event) -> str:
    role = event.payload.get("role")
    text = event.kind.removeprefix("batch_")
    return f"{text} as {role}" if role else text


add_decisions(app)
add_settlement(app)
add_pack(app)
