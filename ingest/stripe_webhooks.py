"""Webhook bodies that the user's own receiver dropped into a folder, landed as events.

Belongs here: which files are new, and what happens to lines that are no events of Stripe. Does not
belong here: the check of a line (`stripe_signatures`), a receiver (there is none). Source:
sources.md section 6.

The arrival rules are those of the drop folder: dotfiles and names ending `.tmp` or `.part` have not
arrived yet, the same bytes twice are a no-op. Only `*.ndjson` is read. A file with rejected lines
is read again each night, and its rejects are told again, until it is mended or taken away: a wrong
secret must not lose what it refused.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ingest.drop_names import ARRIVING_SUFFIXES, arrival_order
from ingest.errors import FileChangingError, PermanentSourceError
from ingest.http import Answer
from ingest.landing import hash_file
from ingest.objects import Records
from ingest.pull import Plan, Pull, StreamHistory
from ingest.report import Reject
from ingest.secrets import read_secret
from ingest.stripe_signatures import RefusedBodyError, event_of_line

SUFFIX = ".ndjson"
PAGE_EVENTS = 500
PAGE_BYTES = 1_000_000


@dataclass(frozen=True)
class WebhookStream:
    """The folder of `webhooks.path`. state: files, the hashes of those that this pull read to
    their end without a reject."""

    name: str = "webhooks"
    needs: tuple[str, ...] = ()

    @property
    def records(self) -> Sequence[Records]:
        """The same events as those of the feed, under the same ids."""
        return [Records("bodies", "events", items="data", is_immutable=True, is_listing=True)]

    def fingerprint(self, settings: Any) -> Mapping[str, Any]:
        """Which folder, and whether signatures are checked."""
        return {"path": settings.webhooks.path, "secret_env": settings.webhooks.secret_env}

    def plan(self, history: StreamHistory) -> Plan:
        """Every file that was not read yet."""
        return Plan("changes")

    def fetch(self, pull: Pull) -> Mapping[str, Any]:
        """Read the new files, in the order of their names."""
        webhooks = pull.settings.webhooks
        source = pull.history.source
        secret = None
        if webhooks.secret_env:
            secret = read_secret(source, webhooks.secret_env, "webhooks.secret_env")
        known = {
            each
            for landing in pull.history.visible
            for each in landing.totals.get("state", {}).get("files", ())
        }
        read: list[str] = list(pull.cursor["files"]) if pull.cursor else []
        clean: list[str] = []
        for path in _arrived(pull.root / webhooks.path, source):
            digest = _hash(path, source)
            if digest in known or digest in clean:
                continue
            is_again = digest in read
            if _read_file(pull, path, digest, secret, is_again):
                clean.append(digest)
            if not is_again:
                read.append(digest)
                pull.advance({"files": read})
        return {"files": clean}


def _arrived(folder: Path, source: str) -> list[Path]:
    """Complete files of the folder, in order of arrival."""
    try:
        paths = [each for each in folder.iterdir() if each.is_file()]
    except OSError as error:
        raise PermanentSourceError(
            f"the folder {folder} cannot be read: {error.strerror}",
            f"Create it, or set sources.{source}.webhooks.path to the folder with the bodies.",
        ) from error
    names = sorted(
        (
            each.name
            for each in paths
            if each.suffix == SUFFIX
            and not each.name.startswith(".")
            and not each.name.lower().endswith(ARRIVING_SUFFIXES)
        ),
        key=arrival_order,
    )
    return [folder / name for name in names]


def _hash(path: Path, source: str) -> str:
    try:
        return hash_file(path)
    except OSError as error:
        raise PermanentSourceError(
            f"{path.name}: cannot be read: {error.strerror}",
            f"Give the night's user read access to the webhooks of {source}.",
        ) from error


def _read_file(pull: Pull, path: Path, digest: str, secret: str | None, is_landed: bool) -> bool:
    """Take the events of a file; whether every line is one. is_landed: only tell its rejects.

    Raises: FileChangingError if its bytes are not those of the digest.
    """
    refused_before = len(pull.rejects)
    bodies: list[str] = []
    size = 0
    hashed = hashlib.sha256()
    for number, line in _lines(path, hashed):
        try:
            body = event_of_line(line, secret)
        except RefusedBodyError as error:
            pull.reject(Reject(path.name, number, number, error.column, str(error)))
            continue
        bodies.append(body)
        size += len(body)
        if len(bodies) >= PAGE_EVENTS or size >= PAGE_BYTES:
            _add(pull, path.name, bodies, is_landed)
            bodies, size = [], 0
    _add(pull, path.name, bodies, is_landed)
    if hashed.hexdigest() != digest:
        raise FileChangingError(
            f"{path.name}: changed while it was read",
            "Write files under a name ending .tmp and rename them when they are complete.",
        )
    return len(pull.rejects) == refused_before


def _lines(path: Path, hashed: Any) -> Iterator[tuple[int, bytes]]:
    """Lines that are not blank, with their numbers from 1; every byte is hashed."""
    with path.open("rb") as opened:
        for number, line in enumerate(opened, start=1):
            hashed.update(line)
            if line.strip():
                yield number, line


def _add(pull: Pull, name: str, bodies: Sequence[str], is_landed: bool) -> None:
    """Take bodies as one answer: the texts as received, as a JSON list."""
    if bodies and not is_landed:
        pull.add("bodies", name, Answer(200, "", '{"data":[' + ",".join(bodies) + "]}", None))
