"""What could stop a night, looked at without changing anything and without any network.

What does not belong here: printing (`cli_setup`) and proving what was recorded
(`payouts.verify`).
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestration.errors import OrchestrationError
from orchestration.warehouse import engine_limits, free_bytes

if TYPE_CHECKING:
    from program.load import Workspace

OK, WARN, FAILED = "ok", "warn", "failed"
_NEEDED = ("dagster", "dagster-dbt", "dbt-core", "dbt-duckdb", "duckdb", "great-expectations")
_KNOWN_VARIABLES = {
    "PARTNERLEDGER_HOME",
    "PARTNERLEDGER_PROGRAM",
    "PARTNERLEDGER_USER",
    "PARTNERLEDGER_CONTROL_URL",
    "PARTNERLEDGER_DAGSTER_DIR",
    "PARTNERLEDGER_MEMORY_LIMIT",
    "PARTNERLEDGER_THREADS",
    "PARTNERLEDGER_MAX_TEMP_SIZE",
    "PARTNERLEDGER_WAREHOUSE",
    "PARTNERLEDGER_VAULT_KEY",
    "PARTNERLEDGER_SCREENING_COMMAND",
    "PARTNERLEDGER_BASE_URL",
    "PARTNERLEDGER_CHAT_WEBHOOK",
    "PARTNERLEDGER_MAIL_FROM",
    "PARTNERLEDGER_SMTP_URL",
}
_GIB = 1 << 30


@dataclass(frozen=True)
class Examined:
    """One check. status: `ok`, `warn` (a night runs) or `failed` (it would not, or not rightly)."""

    status: str
    check: str
    detail: str
    what_to_do: str = ""


def examine(workspace_path: Path, home: Path) -> list[Examined]:
    """Every check in the order in which a night would trip over them."""
    found = [*_python(), *_packages(), *_environment(home)]
    workspace, problems = _terms(workspace_path)
    found += problems
    if workspace is not None:
        found += _sources(workspace)
        found += _roles(workspace)
        found += _vault(workspace)
        found += _notices(workspace)
    return [*found, *_home(home), *_snapshot(home)]


def _python() -> Iterator[Examined]:
    running = ".".join(map(str, sys.version_info[:3]))
    if (3, 11) <= sys.version_info[:2] <= (3, 13):
        yield Examined(OK, "python", running)
    else:
        yield Examined(FAILED, "python", f"{running} is not supported", "Use Python 3.11 to 3.13.")


def _packages() -> Iterator[Examined]:
    found, missing = [], []
    for name in _NEEDED:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            missing.append(name)
    if missing:
        yield Examined(FAILED, "packages", f"not installed: {', '.join(missing)}", "make setup")
    else:
        yield Examined(OK, "packages", ", ".join(found))


def _environment(home: Path) -> Iterator[Examined]:
    unknown = sorted(
        name
        for name in os.environ
        if name.startswith("PARTNERLEDGER_") and name not in _KNOWN_VARIABLES
    )
    if unknown:
        yield Examined(
            WARN, "environment", f"{', '.join(unknown)}: no such setting", "Correct or unset it."
        )
    try:
        limits = engine_limits(home)
    except OrchestrationError as error:
        yield Examined(FAILED, "environment", error.message, error.what_to_do)
        return
    yield Examined(
        OK,
        "limits",
        f"memory {limits.memory_limit}, {limits.threads} threads, "
        f"spill {limits.max_temp_directory_size}",
    )


def _terms(workspace_path: Path) -> tuple[Workspace | None, list[Examined]]:
    from program.errors import TermsError
    from program.load import load_workspace

    try:
        workspace = load_workspace(workspace_path)
    except TermsError as error:
        return None, [
            Examined(FAILED, "terms", str(problem), "Correct the file and run doctor again.")
            for problem in error.problems
        ]
    plans = ", ".join(plan.id for plan in workspace.program.plans)
    detail = f"{workspace.program_path}: {workspace.program.program.name}; plans {plans}"
    warnings = [
        Examined(
            WARN,
            "terms",
            f"{each.file}:{each.line}: {each.setting}: {each.message}",
            f"{each.hint[:1].upper()}{each.hint[1:]}.",
        )
        for each in workspace.warnings
    ]
    return workspace, [Examined(OK, "terms", detail), *warnings]


def _sources(workspace: Workspace) -> Iterator[Examined]:
    for name, source in workspace.sources.sources.items():
        check = f"source {name}"
        if source.kind == "files":
            folder = workspace.root / source.path
            if not folder.is_dir():
                yield Examined(
                    FAILED, check, f"{folder} is not a folder", "Create it, or correct sources.yml."
                )
            elif not os.access(folder, os.R_OK | os.X_OK):
                yield Examined(FAILED, check, f"{folder} cannot be read", "Give the user access.")
            else:
                waiting = sum(each.is_file() for each in folder.iterdir())
                yield Examined(OK, check, f"{folder}: {waiting} files")
        else:
            yield from _api_source(check, name, source, workspace.root)


def _api_source(check: str, name: str, source: Any, root: Path) -> Iterator[Examined]:
    """Address, secrets by the names of their variables, folders. No request is made."""
    from ingest.addresses import check_base_url
    from ingest.errors import PermanentSourceError

    found = []
    try:
        check_base_url(source.base_url, f"sources.{name}.base_url")
    except PermanentSourceError as error:
        found.append(Examined(FAILED, check, str(error), error.what_to_do))
    variables = [
        variable
        for setting in ("api_key_env", "token_env", "service_account_env")
        if (variable := getattr(source, setting, None))
    ]
    webhooks = getattr(source, "webhooks", None)
    if webhooks:
        found += _webhooks(check, root / webhooks.path)
        variables += [webhooks.secret_env] if webhooks.secret_env else []
    for variable in variables:
        if not os.environ.get(variable, "").strip():
            hint = "Set it to what sources.yml says it holds; a key should only be able to read."
            found.append(Examined(FAILED, check, f"{variable} is not set", hint))
    found += _key_file(check, getattr(source, "service_account_env", None))
    secrets = f"secrets from {', '.join(variables)}" if variables else "no secret"
    yield from found or [Examined(OK, check, f"{source.kind} at {source.base_url}, {secrets}")]


def _webhooks(check: str, folder: Path) -> list[Examined]:
    if folder.is_dir() and os.access(folder, os.R_OK | os.X_OK):
        return []
    hint = "Create it, or correct webhooks.path in sources.yml."
    return [Examined(FAILED, check, f"{folder} is not a folder that can be read", hint)]


def _key_file(check: str, variable: str | None) -> list[Examined]:
    """The file of a service account, if one is named; its path is not told."""
    path = os.environ.get(variable, "").strip() if variable else ""
    if not path or (Path(path).is_file() and os.access(path, os.R_OK)):
        return []
    detail = f"{variable} does not name a file that can be read"
    return [Examined(FAILED, check, detail, "Set it to the path of the account's key file.")]


def _roles(workspace: Workspace) -> Iterator[Examined]:
    roles = workspace.program.roles
    for role in ("partnerships", "finance"):
        if not getattr(roles, role):
            yield Examined(
                WARN,
                "roles",
                f"nobody may approve as {role}",
                f"Name somebody in roles.{role} of program.yml; batches wait until then.",
            )
    if workspace.program.approvals.min_identity == "os_user":
        yield Examined(
            WARN,
            "approvals",
            "min_identity os_user: an approver is believed to be who the command line says",
            "Enough for trying out; whoever reaches this machine's home can approve.",
        )
    yield from _signing(workspace)


def _signing(workspace: Workspace) -> Iterator[Examined]:
    """What signed approvals need, where the terms ask for them."""
    import shutil

    from payouts.terms import ALLOWED_SIGNERS

    approvals = workspace.program.approvals
    if "ssh_signed" not in {approvals.min_identity, *(t.min_identity for t in approvals.tiers)}:
        return
    if shutil.which("ssh-keygen") is None:
        yield Examined(
            FAILED,
            "approvals",
            "ssh-keygen is missing",
            "Install OpenSSH's client; it signs and checks.",
        )
    if not (workspace.root / ALLOWED_SIGNERS).is_file():
        yield Examined(
            FAILED,
            "approvals",
            f"there is no {ALLOWED_SIGNERS} beside program.yml: nobody can sign",
            "Write one line per person: the address, then the public key.",
        )


def _vault(workspace: Workspace) -> Iterator[Examined]:
    """The key of the vault, where a rail of the terms pays to accounts that are kept in it."""
    from payouts.errors import VaultKeyMissingError
    from payouts.selection import RAILS_WITH_DETAILS
    from payouts.vault_keys import parse_keys, vault_keys_text

    rails = sorted({*workspace.program.payouts.rails.values()} & {*RAILS_WITH_DETAILS})
    if not rails:
        return
    try:
        parse_keys(vault_keys_text())
    except VaultKeyMissingError as error:
        yield Examined(
            WARN,
            "vault",
            f"payouts.rails names {', '.join(rails)}; {error}",
            "The night needs no key; whoever sets details or exports does.",
        )
    else:
        yield Examined(OK, "vault", f"a key is set, for {', '.join(rails)}")


def _notices(workspace: Workspace) -> Iterator[Examined]:
    """Templates, and the channels of the environment; nobody is connected to."""
    from dashboards.errors import DashboardError, NoticeTemplateError
    from dashboards.mailer import mail_settings
    from dashboards.webhook import webhook_url
    from orchestration.notices import BASE_URL_VARIABLE, renderer

    try:
        renderer(workspace).check()
        mail, webhook = mail_settings(os.environ), webhook_url(os.environ)
    except NoticeTemplateError as error:
        yield Examined(FAILED, "notices", str(error), "Correct that file in mail/, or remove it.")
        return
    except DashboardError as error:
        yield Examined(FAILED, "notices", str(error), "See docs/runbooks/notices.md.")
        return
    if not workspace.program.notices.enabled:
        yield Examined(OK, "notices", "off")
    elif mail is None:
        yield Examined(
            WARN, "notices", "on, and no mail server is named: messages wait, then run out",
            "Set PARTNERLEDGER_SMTP_URL and PARTNERLEDGER_MAIL_FROM.",
        )  # fmt: skip
    elif not os.environ.get(BASE_URL_VARIABLE):
        yield Examined(
            WARN, "notices", "on, and messages have no links",
            f"Set {BASE_URL_VARIABLE} to where people reach the app.",
        )  # fmt: skip
    else:
        chat = "with" if webhook else "without"
        yield Examined(OK, "notices", f"on, mail by {mail.host}, {chat} the staff's chat")


def _home(home: Path) -> Iterator[Examined]:
    from payouts.errors import PayoutsError
    from payouts.store import FILE_NAME, open_store

    existing = home.resolve()
    while not existing.exists():
        existing = existing.parent
    free = free_bytes(home)
    if not os.access(existing, os.W_OK):
        yield Examined(
            FAILED, "home", f"{existing} cannot be written", "Name another --home, or give access."
        )
        return
    status = OK if free > _GIB else WARN
    hint = "" if status == OK else "Free some space: a night needs room for copies."
    yield Examined(status, "home", f"{home}: {free // (1 << 20)} MiB free", hint)
    if not (home / FILE_NAME).exists():
        yield Examined(OK, "state", "none yet: the first night creates it")
        return
    try:
        open_store(home).close()
    except PayoutsError as error:
        yield Examined(FAILED, "state", str(error), "Restore the control database from a backup.")
        return
    yield Examined(OK, "state", f"{home / FILE_NAME} opens")


def _snapshot(home: Path) -> Iterator[Examined]:
    from dashboards.errors import DashboardError, SnapshotMissingError
    from dashboards.snapshot import open_snapshot, read_pointer

    try:
        open_snapshot(home).close()
        pointer = read_pointer(home)
    except SnapshotMissingError:
        yield Examined(OK, "snapshot", "none published yet", "Run `partnerledger run`.")
    except DashboardError as error:
        yield Examined(FAILED, "snapshot", str(error), "Run `partnerledger restore`.")
    else:
        yield Examined(OK, "snapshot", f"{pointer.run_id}, as of {pointer.as_of}")
