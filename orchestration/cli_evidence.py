"""Commands that answer why: `explain`, `balance`, `verify`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from orchestration.cli_common import (
    DEFAULT_HOME,
    CommandError,
    HomeOption,
    JsonOption,
    counted,
    open_control,
    open_published,
    out,
    print_json,
    print_table,
)

if TYPE_CHECKING:
    from payouts.findings import Finding
    from payouts.store import Store


def add_commands(app: typer.Typer) -> None:
    """Add the commands of this module to the command line."""
    app.command("explain")(explain)
    app.command("balance")(balance)
    app.command("verify")(verify)


def explain(
    words: Annotated[
        list[str],
        typer.Argument(
            metavar="[TYPE] REF",
            help="Id of an entry, commission, lead, invoice line, invoice, payout or batch; with "
            "its type before it (line for an invoice line) nothing else is looked for.",
        ),
    ],
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
) -> None:
    """Show the whole chain behind an amount.

    Of a lead: all that happened to it in order of time, then where it stands.
    """
    from orchestration.evidence import explain as find
    from orchestration.evidence_text import print_explanation

    type_word, reference = _asked(words)
    with open_published(home) as connection:
        evidence = find(connection, reference, type_word)
    if evidence["reference_type"] == "lead":
        _explain_lead(home, evidence, as_json)
    elif as_json:
        print_json(evidence)
    else:
        print_explanation(evidence)


def balance(
    partner_id: Annotated[str, typer.Argument(metavar="PARTNER", help="Id of the partner.")],
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
) -> None:
    """Show one partner's money, entry by entry."""
    from orchestration.evidence import balance as find
    from orchestration.evidence_text import print_balance

    with open_published(home) as connection:
        record = find(connection, partner_id)
    if as_json:
        print_json(record)
    else:
        print_balance(record)


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


def _explain_lead(home: Path, evidence: dict[str, Any], as_json: bool) -> None:
    from orchestration.lead_control import with_recorded
    from orchestration.lead_text import print_lead, print_timeline
    from orchestration.lead_timeline import timeline

    evidence = with_recorded(evidence, home)
    events = timeline(evidence)
    if as_json:
        print_json({**evidence, "timeline": events})
        return
    out().print(f"lead {evidence['reference']}\n")
    print_timeline(events)
    print_lead(evidence)


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
