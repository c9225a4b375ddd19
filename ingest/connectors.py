"""The connectors by kind of source, and the raw relations that each of them fills.

Belongs here: which module knows a kind. Does not belong here: anything a module knows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from ingest.http import HttpClient
from ingest.pull import Stream, pull_stream
from ingest.report import StreamReport
from ingest.secrets import read_secret

API_KINDS = ("stripe", "hubspot", "typeform", "calendly", "google_calendar")
"""Kinds whose streams are pulled page by page (`pull_stream`); each is a module of this package
with a `CONNECTOR`."""
CONNECTED_KINDS = (*API_KINDS, "ecb")
"""Kinds with a connector: all but `files`."""


@dataclass(frozen=True)
class Connector:
    """What a module offers. streams: those that the settings choose, in the order of pulling;
    all of them without settings. open_client: source name, settings, how to wait. pull: how a
    stream becomes a landing; only a source that gives files instead of pages has one of its own,
    and its streams no `fetch`."""

    streams: Callable[[Any], Sequence[Stream]]
    open_client: Callable[[str, Any, Callable[[float], None]], HttpClient]
    pull: Callable[..., StreamReport] = pull_stream


def chosen(streams: Sequence[Stream], settings: Any) -> list[Stream]:
    """The streams that the settings choose, in order; all of them without settings."""
    return [each for each in streams if settings is None or each.name in settings.streams]


def token_client(
    source: str, settings: Any, pause: Callable[[float], None], **options: Any
) -> HttpClient:
    """A client with the token in `settings.token_env`. options: of HttpClient.

    Raises: PermanentSourceError without a usable token.
    """
    return HttpClient(
        label=source,
        base_url=settings.base_url,
        token=read_secret(source, settings.token_env, "token_env"),
        token_env=settings.token_env,
        timeout_seconds=settings.timeout_seconds,
        pause=pause,
        **options,
    )


def load_connector(kind: str) -> Connector:
    """The connector of a kind of `CONNECTED_KINDS`."""
    return import_module(f"ingest.{kind}").CONNECTOR


def relations_of(kind: str) -> list[str]:
    """Names of the raw relations of a kind, without its prefix."""
    names = [
        records.relation
        for stream in load_connector(kind).streams(None)
        for records in stream.records
    ]
    return list(dict.fromkeys(names))
