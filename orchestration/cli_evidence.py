"""Commands that answer why: `explain`, `balance`, `statement`, `verify`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from orchestration.cli_common import (
    DEFAULT_HOME,
    CommandError,
    HomeOption,
    JsonOption,
    ProgramOption,
    counted,
    open_control,
    open_published,
    out,
    print_json,
    print_table,
)
from orchestration.cli_options import (
    AsKnownOption,
    CsvOption,
    HtmlOption,
    PdfOption,
    refuse_both,
    refuse_files,
)

if TYPE_CHECKING:
    from payouts.findings import Finding
    from payouts.store import Store


def add_commands(app: typer.Typer) -> None:
    """Add the commands of this module to the command line."""
    app.command("explain")(explain)
    app.command("balance")(balance)
    app.command("statement")(statement)
    app.command("verify")(verify)


def explain(
    words: Annotated[
        list[str],
        typer.Argument(
            metavar="[TYPE] REF",
            help="Id of an entry, commission, lead, invoice line, invoice, payout, batch or "
            "partner; with its type before it (line for an invoice line, balance for a partner) "
            "nothing else is looked for.",
        ),
    ],
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
    html: HtmlOption = None,
) -> None:
    """Show the whole chain behind an amount, recomputed from what was recorded.

    Exits with 1 when an entry does not recompute. Of a lead: all that happened to it in order of
    time, then where it stands.
    """
    from orchestration.evidence import explain as find
    from orchestration.evidence_checks import require_matches
    from orchestration.evidence_home import require_intact, with_home

    refuse_both(as_json, html)
    type_word, reference = _asked(words)
    with open_published(home) as connection:
        evidence = find(connection, reference, type_word)
    if evidence["reference_type"] == "lead":
        evidence = _with_timeline(home, evidence)
    else:
        evidence = with_home(evidence, home)
    _show_evidence(evidence, as_json, html)
    require_matches(evidence)
    require_intact(evidence)


def balance(
    partner_id: Annotated[str, typer.Argument(metavar="PARTNER", help="Id of the partner.")],
    as_known: AsKnownOption = None,
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
) -> None:
    """Show one partner's money, entry by entry; with --as-known as it stood then."""
    from orchestration.evidence import balance as find
    from orchestration.evidence_text import print_balance

    if as_known is not None:
        record = _known_balance(home, partner_id, as_known)
    else:
        with open_published(home) as connection:
            record = find(connection, partner_id)
    if as_json:
        print_json(record)
    else:
        print_balance(record)


def statement(
    partner_id: Annotated[str, typer.Argument(metavar="PARTNER", help="Id of the partner.")],
    period: Annotated[
        str | None,
        typer.Option(
            "--period", metavar="YYYY-MM", help="Local month; default: that of the last night."
        ),
    ] = None,
    as_known: AsKnownOption = None,
    home: HomeOption = DEFAULT_HOME,
    program: ProgramOption = None,
    as_json: JsonOption = False,
    html: HtmlOption = None,
    pdf: PdfOption = None,
    csv: CsvOption = None,
) -> None:
    """Show one partner's month: opening balance, what moved it and why, closing balance.

    From journal entries by posting period. With --as-known it is the same whenever it is asked
    for. Expected pay dates follow payouts.schedule as program.yml has it now. The PDF and the CSV
    of equal statements are equal bytes.
    """
    from orchestration.cli_common import open_workspace
    from orchestration.documents import print_document
    from orchestration.known_partner import partner_statement
    from orchestration.statement_document import statement_document
    from orchestration.statement_files import write_statement

    files = {"html": html, "pdf": pdf, "csv": csv}
    refuse_files(as_json, files)
    month = _period(period)
    workspace = open_workspace(program)
    with open_control(home) as store, store.read() as connection:
        record, name = partner_statement(
            connection, home, workspace.program, partner_id, month, as_known
        )
    if as_json:
        print_json(record)
        return
    written = write_statement(record, name, workspace.program.program, files)
    for file in written:
        out().print(f"Wrote {file}")
    if not written:
        print_document(statement_document(record, name))


def verify(home: HomeOption = DEFAULT_HOME, as_json: JsonOption = False) -> None:
    """Prove all recorded hashes, chains and sums."""
    with open_control(home) as store:
        findings = [*_recorded(home, store), *_landed(home, as_json), _published(home)]
    if as_json:
        print_json(findings)
    else:
        print_table(
            "partnerledger verify",
            ("", "check", "what was found"),
            [("ok" if each.ok else "BROKEN", each.check, each.detail) for each in findings],
        )
    broken = [each for each in findings if not each.ok]
    if broken:
        raise CommandError(
            f"{len(broken)} of {len(findings)} checks failed, first {broken[0].check}: "
            f"{broken[0].detail}",
            "See docs/runbooks/verify-failed.md; approve and export nothing until then.",
        )


def _asked(words: list[str]) -> tuple[str | None, str]:
    """The type to look for, if one was named, and the reference. Raises: BadParameter (exit 2)."""
    from orchestration.evidence import TYPES

    if len(words) == 1:
        return None, words[0]
    if len(words) > 2 or words[0] not in TYPES:
        raise typer.BadParameter(
            f"give one id, or one of {', '.join(TYPES)} and an id", param_hint="[TYPE] REF"
        )
    return words[0], words[1]


def _with_timeline(home: Path, evidence: dict[str, Any]) -> dict[str, Any]:
    from orchestration.lead_control import with_recorded
    from orchestration.lead_timeline import timeline

    evidence = with_recorded(evidence, home)
    return {**evidence, "timeline": timeline(evidence)}


def _show_evidence(evidence: dict[str, Any], as_json: bool, html: Path | None) -> None:
    from orchestration.document_pages import write_page
    from orchestration.documents import Document, print_document
    from orchestration.evidence_document import evidence_document, recomputation_blocks
    from orchestration.lead_text import print_lead, print_timeline

    if as_json:
        print_json(evidence)
    elif html is not None:
        write_page(evidence_document(evidence), html)
        out().print(f"Wrote {html}")
    elif evidence["reference_type"] == "lead":
        out().print(f"lead {evidence['reference']}\n")
        print_timeline(evidence["timeline"])
        print_lead(evidence)
        found = [*recomputation_blocks(evidence["recomputation"])]
        print_document(Document("Recomputed", blocks=found))
    else:
        print_document(evidence_document(evidence))


def _known_balance(home: Path, partner_id: str, as_known: str) -> dict[str, Any]:
    from orchestration.known_partner import home_timezone, partner_balance

    timezone = home_timezone(home)
    with open_control(home) as store, store.read() as connection:
        return partner_balance(connection, home, partner_id, as_known, timezone)


def _period(text: str | None) -> str | None:
    """A month as YYYY-MM. Raises: BadParameter (exit 2)."""
    import re

    if text is not None and not re.fullmatch(r"[1-9][0-9]{3}-(0[1-9]|1[0-2])", text):
        raise typer.BadParameter(
            f"{text!r} is no month; write it like 2026-02", param_hint="--period"
        )
    return text


def _recorded(home: Path, store: Store) -> list[Finding]:
    from dashboards.errors import DashboardError
    from payouts.verify import verify as prove

    try:
        with open_published(home) as warehouse:
            return prove(home, store=store, warehouse=warehouse)
    except DashboardError:
        return prove(home, store=store)


def _landed(home: Path, is_quiet: bool) -> list[Finding]:
    """Every landed file is what was written: one finding per damaged one, else one for all."""
    from ingest.landing_admin import verify_landings
    from orchestration.cli_progress import bar
    from payouts.findings import Finding

    with bar("verifying the landing", is_quiet=is_quiet) as show:
        found = verify_landings(home, show)
    if found.damages:
        return [Finding("landing", False, f"{each.path} {each.fault}") for each in found.damages]
    said = f"{counted(found.parts, 'file')} of {counted(found.landings, 'landing')}, as recorded"
    return [Finding("landing", True, f"{said}; {found.pruned} pruned" if found.pruned else said)]


def _published(home: Path) -> Finding:
    """The snapshot is the file whose hash the pointer holds."""
    import hashlib

    from dashboards.errors import DashboardError, SnapshotMissingError
    from dashboards.snapshot import read_pointer, serving_folder
    from payouts.findings import Finding

    try:
        pointer = read_pointer(home)
        with (serving_folder(home) / pointer.path).open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except SnapshotMissingError:
        return Finding("snapshot", True, "none published yet")
    except (DashboardError, OSError) as error:
        return Finding("snapshot", False, f"{error}; run partnerledger restore")
    if digest != pointer.sha256:
        detail = f"{pointer.path} is not the file that was published; run partnerledger restore"
        return Finding("snapshot", False, detail)
    return Finding("snapshot", True, f"{pointer.run_id}, as of {pointer.as_of}, hash as published")
