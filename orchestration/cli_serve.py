"""`partnerledger serve`: the web app. The sign-in secret comes from the environment or is made.

What does not belong here: pages (`dashboards`) and what they ask of this room (`web_services`).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from orchestration.cli_common import (
    DEFAULT_HOME,
    CommandError,
    HomeOption,
    ProgramOption,
    open_control,
    open_workspace,
    out,
    workspace_path,
)

if TYPE_CHECKING:
    from dashboards.settings import Settings
    from payouts.store import Store
    from program.load import Workspace

SECRET_VARIABLE = "PARTNERLEDGER_WEB_SECRET"
SECRET_NAME = "web.secret"
LOOPBACK = ("127.0.0.1", "localhost")
_SECRET_BYTES = 32
DEFAULT_PORT = 8321
_LINK_SECONDS = 2.0


def add_commands(app: typer.Typer) -> None:
    """Add the command of this module to the command line."""
    app.command("serve")(serve)


def serve(
    host: Annotated[
        str, typer.Option("--host", help="Address to listen at; loopback unless you say otherwise.")
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option("--port", help="0 takes a free one.", min=0, max=65535)
    ] = DEFAULT_PORT,
    base_url: Annotated[
        str | None,
        typer.Option(
            "--base-url",
            envvar="PARTNERLEDGER_BASE_URL",
            metavar="URL",
            help="Where people reach the app, as a proxy in front of it is called; https there "
            "marks the cookies.",
        ),
    ] = None,
    demo: Annotated[
        bool,
        typer.Option(
            "--demo", help="Sign in by choosing a name, on this machine alone; four eyes remain."
        ),
    ] = False,
    home: HomeOption = DEFAULT_HOME,
    program: ProgramOption = None,
) -> None:
    """Serve the web app: programme, approvals, partner portal. Ctrl+C ends it."""
    import socket

    import uvicorn

    if demo and (host not in LOOPBACK or base_url is not None):
        # Behind a proxy even loopback is reached from elsewhere.
        raise CommandError(
            f"--demo lets anybody who reaches {base_url or host} sign in as anybody",
            "Leave --host and --base-url out, or sign in by mail or with your identity provider.",
        )
    if ":" in host:
        raise CommandError(
            f"--host {host}: an IPv6 address is not listened at",
            "Listen at 127.0.0.1 and let a proxy do that.",
        )
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError as error:
        raise CommandError(
            f"{host}:{port} cannot be listened at: {error.strerror}", "Name another --port."
        ) from error
    port = listening.getsockname()[1]
    with open_control(home) as store:
        from dashboards.app import create_app
        from dashboards.current_terms import CurrentTerms
        from orchestration.web_services import WebServices

        settings = web_settings(home, program, host, port, base_url, demo)
        terms = CurrentTerms(settings.workspace)
        services = WebServices(home, terms.workspace)
        app = create_app(settings, services, store, terms=terms)
        out().print(f"partnerledger is at {settings.base_url}  (Ctrl+C ends it)")
        # Access logs would keep who looked at what; errors are enough.
        config = uvicorn.Config(
            app, log_level="warning", access_log=False, server_header=False,
            proxy_headers=base_url is not None, forwarded_allow_ips="127.0.0.1",
        )  # fmt: skip
        with _links_sent(home, settings.workspace, store):
            uvicorn.Server(config).run(sockets=[listening])


@contextmanager
def _links_sent(home: Path, workspace: Workspace, store: Store) -> Iterator[None]:
    """Whoever asks for a link waits for it: a thread sends them while the app runs."""
    import threading

    from orchestration.clock import utc_now
    from orchestration.notices import keep_sending_links

    stop = threading.Event()
    sender = threading.Thread(
        target=keep_sending_links, args=(home, workspace, store, utc_now, stop, _LINK_SECONDS)
    )
    sender.start()
    try:
        yield
    finally:
        stop.set()
        sender.join()


def web_settings(
    home: Path, program: Path | None, host: str, port: int, base_url: str | None, is_demo: bool
) -> Settings:
    """Settings of the app from options and environment. Raises: TermsError, CommandError."""
    from urllib.parse import urlsplit

    from dashboards.oidc import from_environment
    from dashboards.settings import Settings
    from orchestration.clock import utc_now

    # Half a configuration is refused here rather than at the first sign-in.
    from_environment(os.environ)
    address = (base_url or f"http://{host}:{port}").rstrip("/")
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path:
        raise CommandError(
            f"--base-url {address}: a scheme and a host are needed, and no path",
            "Write it like https://partners.example.com.",
        )
    return Settings(
        home=home,
        workspace=open_workspace(program),
        program_path=workspace_path(program),
        clock=utc_now,
        secret=_secret(home),
        base_url=address,
        is_demo=is_demo,
        is_secure=parts.scheme == "https",
        allowed_hosts=tuple(dict.fromkeys((parts.hostname, *LOOPBACK))),
        environment=os.environ,
    )


def _secret(home: Path) -> bytes:
    """The secret of the environment, else the one of this home, made on first use (0600)."""
    import secrets

    given = os.environ.get(SECRET_VARIABLE)
    if given:
        if len(given.encode()) < _SECRET_BYTES:
            raise CommandError(
                f"{SECRET_VARIABLE} is shorter than {_SECRET_BYTES} bytes",
                "Make one with `openssl rand -hex 32`.",
            )
        return given.encode()
    file = home / SECRET_NAME
    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        found = file.read_bytes()
        if len(found) < _SECRET_BYTES:
            raise CommandError(
                f"{file} is damaged", "Delete it: a new one is made, and everybody signs in again."
            ) from None
        return found
    with os.fdopen(handle, "wb") as opened:
        made = secrets.token_hex(_SECRET_BYTES).encode()
        opened.write(made)
    return made
