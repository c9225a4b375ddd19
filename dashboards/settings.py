"""What the web app is started with. Importing this loads nothing heavy."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from program.load import Workspace


@dataclass(frozen=True)
class Settings:
    """Settings of one running app.

    home: state of the programme. workspace: its checked terms, read from program_path. clock:
    naive UTC now, read once per request. secret: signs cookies and form tokens, at least 32 bytes.
    base_url: where people reach the app, without a slash at the end; links in messages begin with
    it. is_demo: people of the
    terms sign in by choosing a name; `serve` allows it on loopback only. is_secure: reached by
    HTTPS, so cookies are marked. allowed_hosts: names by which the app may be asked for.
    environment: variables with secrets, such as those of the identity provider.
    """

    home: Path
    workspace: Workspace
    clock: Callable[[], datetime]
    secret: bytes = field(repr=False)
    base_url: str = "http://127.0.0.1:8321"
    is_demo: bool = False
    is_secure: bool = False
    allowed_hosts: tuple[str, ...] = ("127.0.0.1", "localhost")
    program_path: Path | None = None
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        """Refuse a secret that could be guessed."""
        if len(self.secret) < 32:  # noqa: PLR2004  (bytes of a SHA-256 key)
            raise ValueError("the secret of the web app needs at least 32 bytes")
